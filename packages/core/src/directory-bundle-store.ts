import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { BundleError, type BundleInfo, type BundleStore, type CallOptions } from "@clipper-serving/spec";
import { bytesOf, MANIFEST, parseManifest, readBundle } from "./bundle-directory.js";
import { ignoreMissing } from "./home-files.js";
import { isForsaken, ownedName } from "./owned-name.js";

/** Begins the name, after a dot, of a file that holds a bundle. */
const HELD = "held-";
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Model bundles as directories named by their digest. */
export class DirectoryBundleStore implements BundleStore {
  readonly #root: string;

  /** @param root made on first `put` */
  constructor(root: string) {
    this.#root = root;
  }

  async put(directory: string, { signal, onProgress }: CallOptions = {}): Promise<BundleInfo> {
    const { digest, manifest, bytes } = await readBundle(directory, signal);
    if ((await this.get(digest)) !== undefined) {
      onProgress?.({ step: "bundle-store", state: "skipped", message: `bundle ${short(digest)} is there` });
      return { digest, manifest, bytes };
    }
    const temporary = await this.#aside("incoming");
    try {
      await mkdir(this.#root, { recursive: true });
      await cp(directory, temporary, { recursive: true, errorOnExist: true, force: false });
      signal?.throwIfAborted();
      await this.#keep(temporary, digest);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    onProgress?.({
      step: "bundle-store",
      state: "done",
      message: `bundle ${short(digest)} kept`,
      done: bytes,
      unit: "bytes",
    });
    return { digest, manifest, bytes };
  }

  async get(
    digest: string,
    { signal }: CallOptions = {},
  ): Promise<(BundleInfo & { directory: string }) | undefined> {
    const directory = this.#directoryOf(digest);
    try {
      const text = await readFile(path.join(directory, MANIFEST), { encoding: "utf8", signal });
      const manifest = parseManifest(text, directory);
      return { digest, manifest, bytes: await bytesOf(directory, manifest), directory };
    } catch (error) {
      // Not there, or no longer wholly.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async list({ signal }: CallOptions = {}): Promise<readonly BundleInfo[]> {
    const bundles: BundleInfo[] = [];
    for (const digest of await this.#digests()) {
      signal?.throwIfAborted();
      const found = await this.get(digest);
      if (found !== undefined)
        bundles.push({ digest: found.digest, manifest: found.manifest, bytes: found.bytes });
    }
    return bundles;
  }

  async remove(digest: string): Promise<void> {
    await this.#removeUnlessNeeded(digest, async () => new Set());
  }

  async hold(digest: string): Promise<AsyncDisposable> {
    await mkdir(this.#root, { recursive: true });
    const file = await this.#aside(`${HELD}${path.basename(this.#directoryOf(digest))}`);
    await writeFile(file, "");
    return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
  }

  async prune(
    named: () => Promise<ReadonlySet<string>>,
    { signal }: CallOptions = {},
  ): Promise<readonly string[]> {
    await this.#removeForsaken();
    const held = await this.#held();
    const candidates = (await this.#digests()).filter((digest) => !held.has(digest));
    if (candidates.length === 0) return [];
    const wanted = await named();
    const removed: string[] = [];
    for (const digest of candidates.filter((candidate) => !wanted.has(candidate))) {
      signal?.throwIfAborted();
      if (await this.#removeUnlessNeeded(digest, named)) removed.push(digest);
    }
    return removed;
  }

  async #discard(digest: string): Promise<void> {
    const aside = await this.#aside("outgoing");
    // In one step, so that nobody finds a part of it.
    await rename(this.#directoryOf(digest), aside).catch(ignoreMissing(undefined));
    await rm(aside, { recursive: true, force: true });
  }

  /** Somebody may begin to hold it at any moment, or have held it just until a version named it: then it is put back. */
  async #removeUnlessNeeded(digest: string, named: () => Promise<ReadonlySet<string>>): Promise<boolean> {
    if ((await this.#held()).has(digest)) return false;
    const aside = await this.#aside("outgoing");
    await rename(this.#directoryOf(digest), aside).catch(ignoreMissing(undefined));
    let isNeeded = true;
    try {
      isNeeded = (await this.#held()).has(digest) || (await named()).has(digest);
    } finally {
      // Whoever holds it may have put it again meanwhile.
      if (isNeeded) await rename(aside, this.#directoryOf(digest)).catch(() => undefined);
      await rm(aside, { recursive: true, force: true });
    }
    return !isNeeded;
  }

  async #removeForsaken(): Promise<void> {
    for (const name of await this.#names()) {
      const file = path.join(this.#root, name);
      if (await isForsaken(file)) await rm(file, { recursive: true, force: true });
    }
  }

  async #held(): Promise<ReadonlySet<string>> {
    const holds = (await this.#names()).filter((name) => name.startsWith(`.${HELD}`));
    return new Set(holds.map((name) => `sha256:${name.slice(1 + HELD.length).split(".")[0]}`));
  }

  async #digests(): Promise<readonly string[]> {
    const names = (await this.#names()).filter((name) => /^[0-9a-f]{64}$/.test(name));
    return names.sort().map((name) => `sha256:${name}`);
  }

  #names(): Promise<readonly string[]> {
    return readdir(this.#root).catch(ignoreMissing([]));
  }

  async #keep(directory: string, digest: string): Promise<void> {
    const kept = this.#directoryOf(digest);
    try {
      await rename(directory, kept);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
      // Another process put the same bundle meanwhile.
      if ((await this.get(digest)) !== undefined) return;
      await this.#discard(digest);
      await rename(directory, kept);
    }
  }

  async #aside(purpose: string): Promise<string> {
    return path.join(this.#root, await ownedName(`.${purpose}`));
  }

  #directoryOf(digest: string): string {
    if (!DIGEST.test(digest)) {
      throw new BundleError({
        message: `${JSON.stringify(digest.slice(0, 80))} is not the digest of a bundle`,
      });
    }
    return path.join(this.#root, digest.slice("sha256:".length));
  }
}

function short(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}
