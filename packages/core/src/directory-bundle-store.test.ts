import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BundleError } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectoryBundleStore } from "./directory-bundle-store.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("DirectoryBundleStore", () => {
  let scratch: string;
  let store: DirectoryBundleStore;

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "clipper-bundles-"));
    store = new DirectoryBundleStore(path.join(scratch, "store"));
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  async function makeBundle(
    files: Record<string, string>,
    claimed: Record<string, string> = {},
  ): Promise<string> {
    const directory = await mkdtemp(path.join(scratch, "bundle-"));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
      await writeFile(path.join(directory, name), text);
    }
    const digests = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)]));
    const manifest = { formatVersion: 1, model: "m", version: "1", files: { ...digests, ...claimed } };
    await writeFile(path.join(directory, "manifest.json"), JSON.stringify(manifest));
    return directory;
  }

  it("keeps a bundle under its manifest's digest, and gives it back", async () => {
    const { digest } = await store.put(await makeBundle({ "function.pkl": "f", "modules/a/b.py": "x = 1" }));
    const found = await store.get(digest);
    expect(found).toMatchObject({ digest, manifest: { model: "m", version: "1" } });
    expect(await readdir(path.join(found?.directory ?? "", "modules/a"))).toEqual(["b.py"]);
    expect((await store.list()).map((bundle) => bundle.digest)).toEqual([digest]);
  });

  it("takes the same bundle twice, also at once", async () => {
    const directory = await makeBundle({ "function.pkl": "f" });
    const [one, two] = await Promise.all([store.put(directory), store.put(directory)]);
    expect(one.digest).toBe(two.digest);
    expect(await readdir(path.join(scratch, "store"))).toHaveLength(1);
  });

  it("replaces a bundle of which a removal that was cut off left a part", async () => {
    const directory = await makeBundle({ "function.pkl": "f", "modules/a.py": "x = 1" });
    const { digest } = await store.put(directory);
    for (const gone of ["function.pkl", "manifest.json"]) {
      await rm(path.join(scratch, "store", digest.slice("sha256:".length), gone));
      expect(await store.get(digest)).toBeUndefined();
      expect(await store.list()).toEqual([]);
      await store.put(directory);
      expect(await store.get(digest)).toMatchObject({ digest });
    }
    await store.remove(digest);
    expect(await readdir(path.join(scratch, "store"))).toEqual([]);
  });

  it("refuses a file that is not what the manifest says, and keeps nothing of the bundle", async () => {
    const directory = await makeBundle({ "function.pkl": "f" }, { "function.pkl": sha256("other") });
    await expect(store.put(directory)).rejects.toSatisfy(BundleError.isInstance.bind(BundleError));
    expect(await store.list()).toEqual([]);
  });

  it.each([
    ["../outside", sha256("")],
    ["missing.py", sha256("")],
  ])("refuses a manifest that names %s", async (name, digest) => {
    await expect(store.put(await makeBundle({}, { [name]: digest }))).rejects.toThrow(/bundle/);
  });

  it("refuses a digest that is none, so that no path is made of it", async () => {
    await expect(store.get("sha256:../../etc")).rejects.toThrow(/not the digest/);
  });

  it("gives undefined for what it has not, and removes what is absent", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    expect(await store.get(digest)).toBeUndefined();
    await store.remove(digest);
  });

  it("stops at an aborted signal, leaving nothing behind", async () => {
    const reason = new Error("enough");
    const directory = await makeBundle({ "function.pkl": "f" });
    await expect(store.put(directory, { signal: AbortSignal.abort(reason) })).rejects.toThrow();
    expect(await store.list()).toEqual([]);
  });

  it("removes nothing that somebody holds, and mends it", async () => {
    const directory = await makeBundle({ "function.pkl": "f" });
    const { digest } = await store.put(directory);
    await using _held = await store.hold(digest);
    await store.remove(digest);
    expect(await store.get(digest)).toBeDefined();
    await rm(path.join(scratch, "store", digest.slice("sha256:".length), "manifest.json"));
    await store.put(directory);
    expect(await store.get(digest)).toBeDefined();
  });

  describe("prune", () => {
    const names = () => readdir(path.join(scratch, "store"));
    const putOne = async (text: string) =>
      (await store.put(await makeBundle({ "function.pkl": text }))).digest;
    const none = async () => new Set<string>();

    it("removes what is neither named nor held", async () => {
      const [named, held, needless] = [await putOne("a"), await putOne("b"), await putOne("c")];
      const hold = await store.hold(held);
      expect(await store.prune(async () => new Set([named]))).toEqual([needless]);
      expect((await store.list()).map(({ digest }) => digest).sort()).toEqual([named, held].sort());
      await hold[Symbol.asyncDispose]();
      expect(await store.prune(async () => new Set([named]))).toEqual([held]);
      expect(await names()).toEqual([named.slice("sha256:".length)]);
    });

    it("leaves what a deploy begins to hold while it is asked which are named", async () => {
      const digest = await putOne("a");
      const removed = await store.prune(async () => {
        await store.hold(digest);
        return none();
      });
      expect(removed).toEqual([]);
      expect(await store.get(digest)).toBeDefined();
    });

    it("leaves what a version takes over from the deploy that held it", async () => {
      const digest = await putOne("a");
      const hold = await store.hold(digest);
      const removed = await store.prune(async () => {
        await hold[Symbol.asyncDispose]();
        return new Set([digest]);
      });
      expect(removed).toEqual([]);
    });

    it("leaves what a whole deploy names while it removes others", async () => {
      const [first, second] = [await putOne("a"), await putOne("b")].sort() as [string, string];
      let asked = 0;
      const removed = await store.prune(async () => {
        asked += 1;
        return new Set(asked === 1 ? [] : [second]);
      });
      expect(removed).toEqual([first]);
      expect(await store.get(second)).toBeDefined();
    });

    it("puts back what it cannot ask about", async () => {
      const digest = await putOne("a");
      let asked = 0;
      const gone = new RangeError("management is gone");
      const pruned = store.prune(async () => {
        asked += 1;
        if (asked > 1) throw gone;
        return new Set();
      });
      await expect(pruned).rejects.toBe(gone);
      expect(await store.get(digest)).toBeDefined();
      expect(await names()).toHaveLength(1);
    });

    it("removes what a process that was killed held or had not put whole", async () => {
      const digest = await putOne("a");
      const program = `
        const { DirectoryBundleStore } = await import(${JSON.stringify(new URL("../dist/directory-bundle-store.js", import.meta.url).href)});
        await new DirectoryBundleStore(${JSON.stringify(path.join(scratch, "store"))}).hold(${JSON.stringify(digest)});
        process.kill(process.pid, "SIGKILL");`;
      await once(spawn(process.execPath, ["--input-type=module", "-e", program]), "close");
      expect(await names()).toHaveLength(2);
      expect(await store.prune(none)).toEqual([digest]);
      expect(await names()).toEqual([]);
    });
  });
});
