import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeTree } from "../test-support/model-files.js";
import { directoryEntries } from "./directory-entries.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "entries-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("keeps of the permissions only whether a file is a program", async () => {
  writeTree(directory, { "a.txt": "", "bin/run": "" });
  chmodSync(path.join(directory, "a.txt"), 0o600);
  chmodSync(path.join(directory, "bin/run"), 0o700);
  chmodSync(path.join(directory, "bin"), 0o700);
  const { entries } = await directoryEntries({ directory, place: "opt" });
  expect(entries.map((entry) => [entry.path, "mode" in entry && entry.mode])).toEqual([
    ["opt/a.txt", 0o644],
    ["opt/bin", 0o755],
    ["opt/bin/run", 0o755],
  ]);
});

it("leaves out what is not wanted, with all below", async () => {
  writeTree(directory, { "keep/a": "", "drop/b": "", "keep/drop/c": "" });
  const includes = (relative: string) => !relative.endsWith("drop");
  const { entries } = await directoryEntries({ directory, place: "opt", includes });
  expect(entries.map((entry) => entry.path)).toEqual(["opt/keep", "opt/keep/a"]);
});

it("keeps a link that stays inside, and refuses one that leads outside", async () => {
  writeTree(directory, { "lib/a": "" });
  symlinkSync("lib", path.join(directory, "lib64"));
  const { entries } = await directoryEntries({ directory, place: "opt" });
  expect(entries).toContainEqual({ kind: "link", path: "opt/lib64", target: "lib" });
  symlinkSync("../../etc/passwd", path.join(directory, "lib/out"));
  await expect(directoryEntries({ directory, place: "opt" })).rejects.toMatchObject({ code: "LAYER_INPUT" });
});

it("refuses what cannot lie in an image, and names it", async () => {
  const server = createServer().listen(path.join(directory, "socket"));
  await once(server, "listening");
  await expect(directoryEntries({ directory, place: "opt" })).rejects.toMatchObject({
    code: "LAYER_INPUT",
    facts: { file: path.join(directory, "socket") },
  });
  server.close();
});

it("gives another stamp when a file may have changed", async () => {
  writeTree(directory, { a: "1" }, 1_000);
  const before = await directoryEntries({ directory, place: "opt" });
  expect((await directoryEntries({ directory, place: "opt" })).stamp).toBe(before.stamp);
  utimesSync(path.join(directory, "a"), 2_000, 2_000);
  expect((await directoryEntries({ directory, place: "opt" })).stamp).not.toBe(before.stamp);
});
