import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ContainerManager, ProgressEvent } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClipperConnection } from "./clipper-connection.js";
import { removeUnusedEnvironments } from "./environment-garbage.js";
import { ScratchDirectories } from "./scratch-directories.js";

const DAY_MS = 24 * 3_600_000;

describe("what deploys keep on disk", () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "clipper-kept-"));
  });

  afterEach(() => rm(home, { recursive: true, force: true }));

  const namesIn = (name: string) => readdir(path.join(home, name));

  describe("scratch directories", () => {
    it("go when they are disposed of", async () => {
      const scratch = await new ScratchDirectories(path.join(home, "scratch")).make();
      await writeFile(path.join(scratch.directory, "sample.json"), "[]");
      expect(await namesIn("scratch")).toHaveLength(1);
      await scratch[Symbol.asyncDispose]();
      expect(await namesIn("scratch")).toEqual([]);
    });

    it("of a process that was killed go when the next one is made, and a living process's stay", async () => {
      const directories = new ScratchDirectories(path.join(home, "scratch"));
      await using mine = await directories.make();
      const program = `
        const { ScratchDirectories } = await import(${JSON.stringify(new URL("../dist/scratch-directories.js", import.meta.url).href)});
        await new ScratchDirectories(${JSON.stringify(path.join(home, "scratch"))}).make();
        process.kill(process.pid, "SIGKILL");`;
      await once(spawn(process.execPath, ["--input-type=module", "-e", program]), "close");
      expect(await namesIn("scratch")).toHaveLength(2);
      await using next = await directories.make();
      expect(await namesIn("scratch")).toEqual(
        [mine, next].map(({ directory }) => path.basename(directory)).sort(),
      );
    });
  });

  describe("environments", () => {
    const lastUsed = async (name: string, agoMs: number) => {
      const directory = path.join(home, "environments", name);
      await mkdir(directory, { recursive: true });
      const at = new Date(Date.now() - agoMs);
      await utimes(directory, at, at);
    };
    const bundleOf = async (cluster: string, environmentDigest: string) => {
      const directory = path.join(home, "clusters", cluster, "bundles", environmentDigest[0]!.repeat(64));
      await mkdir(directory, { recursive: true });
      const manifest = { formatVersion: 1, pythonMinor: "3.11", environmentDigest, files: {} };
      await writeFile(path.join(directory, "manifest.json"), JSON.stringify(manifest));
    };

    it("go when no bundle of any cluster names them and they were not used for a day", async () => {
      await bundleOf("one", "a".repeat(64));
      await bundleOf("other", "b".repeat(64));
      for (const name of ["a", "b", "c", "d"])
        await lastUsed(`py3.11-${name.repeat(24)}`, name === "d" ? DAY_MS / 2 : 2 * DAY_MS);
      await lastUsed(".py3.11-unfinished", 2 * DAY_MS);
      await writeFile(path.join(home, "environments", "py3.11.lock"), "");
      expect(await removeUnusedEnvironments(home)).toBe(2);
      expect(await namesIn("environments")).toEqual([
        ...["a", "b", "d"].map((name) => `py3.11-${name.repeat(24)}`),
        "py3.11.lock",
      ]);
    });

    it("do not keep a cluster from being purged where another one's bundles cannot be read", async () => {
      await bundleOf("other", "b".repeat(64));
      const broken = path.join(home, "clusters", "other", "bundles", "b".repeat(64), "manifest.json");
      await writeFile(broken, "{");
      await lastUsed(`py3.11-${"c".repeat(24)}`, 2 * DAY_MS);
      const manager = { remove: async () => {}, list: async () => [] } as unknown as ContainerManager;
      const connection = new ClipperConnection(manager, { cluster: "one", home });
      const events: ProgressEvent[] = [];
      await connection.stop({ purge: true, onProgress: (event) => events.push(event) });
      expect(events.at(-1)).toMatchObject({ step: "garbage-collect", state: "failed" });
      expect(await namesIn("environments")).toHaveLength(1);
    });

    it("are none where nothing was deployed yet", async () => {
      expect(await removeUnusedEnvironments(home)).toBe(0);
    });
  });
});
