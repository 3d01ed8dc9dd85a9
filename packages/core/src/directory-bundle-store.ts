import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import {
  BundleError,
  type BundleInfo,
  type BundleManifest,
  type BundleStore,
  type CallOptions,
} from "@clipper-serving/spec";

const MANIFEST = "manifest.json";
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
    const temporary = this.#aside("incoming");
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
    const names = await readdir(this.#root).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const bundles: BundleInfo[] = [];
    for (const name of names.filter((entry) => /^[0-9a-f]{64}$/.test(entry)).sort()) {
      signal?.throwIfAborted();
      const found = await this.get(`sha256:${name}`);
      if (found !== undefined)
        bundles.push({ digest: found.digest, manifest: found.manifest, bytes: found.bytes });
    }
    return bundles;
  }

  async remove(digest: string): Promise<void> {
    const aside = this.#aside("outgoing");
    try {
      // In one step, so that nobody finds a part of it.
      await rename(this.#directoryOf(digest), aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
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
      await this.remove(digest);
      await rename(directory, kept);
    }
  }

  #aside(purpose: string): string {
    return path.join(this.#root, `.${purpose}-${process.pid}-${randomBytes(6).toString("hex")}`);
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

/** Reads a bundle and checks every file against its manifest. @throws BundleError */
async function readBundle(directory: string, signal: AbortSignal | undefined): Promise<BundleInfo> {
  const text = await readFile(path.join(directory, MANIFEST), { encoding: "utf8", signal }).catch(
    (cause: unknown) => {
      throw new BundleError({
        message: `${directory} holds no readable ${MANIFEST}`,
        facts: { directory },
        cause,
      });
    },
  );
  const manifest = parseManifest(text, directory);
  for (const [name, expected] of Object.entries(manifest.files)) {
    signal?.throwIfAborted();
    const file = insideOf(directory, name);
    const actual = await hashFile(file).catch((cause: unknown) => {
      throw new BundleError({ message: `the bundle lacks ${name}`, facts: { directory, file: name }, cause });
    });
    if (actual !== expected) {
      throw new BundleError({
        message: `${name} is not what the bundle's manifest says`,
        hint: "deploy the function again: the bundle was changed after it was made",
        facts: { directory, file: name, expected, actual },
      });
    }
  }
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  return { digest, manifest, bytes: await bytesOf(directory, manifest) };
}

function parseManifest(text: string, directory: string): BundleManifest {
  let manifest: BundleManifest;
  try {
    manifest = JSON.parse(text) as BundleManifest;
  } catch (cause) {
    throw new BundleError({
      message: `${MANIFEST} of ${directory} is not JSON`,
      facts: { directory },
      cause,
    });
  }
  if (manifest.formatVersion !== 1) {
    throw new BundleError({
      message: `bundle format ${String(manifest.formatVersion)} is not known here; 1 is`,
      hint: "use the version of these packages that made the bundle, or deploy the function again",
      facts: { directory },
    });
  }
  return manifest;
}

function insideOf(directory: string, name: string): string {
  const file = path.resolve(directory, name);
  if (!file.startsWith(path.resolve(directory) + path.sep)) {
    throw new BundleError({
      message: `the bundle names a file outside itself: ${name}`,
      facts: { directory, file: name },
    });
  }
  return file;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

async function bytesOf(directory: string, manifest: BundleManifest): Promise<number> {
  const sizes = await Promise.all(
    [MANIFEST, ...Object.keys(manifest.files)].map(
      async (name) => (await stat(insideOf(directory, name))).size,
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function short(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}
