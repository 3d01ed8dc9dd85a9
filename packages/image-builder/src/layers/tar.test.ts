import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bytesOf } from "../test-support/untar.js";
import { type LayerEntry, orderedEntries, textFile } from "./layer-entry.js";
import { tarOf } from "./tar.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "tar-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("tarOf", () => {
  it("writes what the system's tar unpacks, long and foreign names included", async () => {
    const long = `${"directory-".repeat(12)}/${"name-".repeat(30)}.py`;
    const longest = `${"x".repeat(200)}/${"y".repeat(200)}.txt`;
    const large = path.join(directory, "large");
    writeFileSync(large, Buffer.alloc(700_000, "large"));
    const entries: LayerEntry[] = [
      textFile("bin/program", "#!/bin/sh\n", 0o755),
      textFile(long, "long"),
      textFile(longest, "longest"),
      textFile("Zürich/日本.txt", "names"),
      { kind: "directory", path: "tmp", mode: 0o1777 },
      { kind: "link", path: "bin/link", target: "program" },
      { kind: "link", path: "bin/long-link", target: `/${"t".repeat(150)}` },
      { kind: "file", path: "large", mode: 0o644, source: { file: large, bytes: 700_000 } },
    ];
    const unpacked = unpack(await bytesOf(tarOf(orderedEntries(entries))));
    expect(readFileSync(path.join(unpacked, long), "utf8")).toBe("long");
    expect(readFileSync(path.join(unpacked, longest), "utf8")).toBe("longest");
    expect(readFileSync(path.join(unpacked, "Zürich/日本.txt"), "utf8")).toBe("names");
    expect(readFileSync(path.join(unpacked, "large"))).toEqual(readFileSync(large));
    expect(readlinkSync(path.join(unpacked, "bin/link"))).toBe("program");
    expect(readlinkSync(path.join(unpacked, "bin/long-link"))).toHaveLength(151);
    expect(statSync(path.join(unpacked, "tmp")).mode & 0o7777).toBe(0o1777);
    expect(statSync(path.join(unpacked, "bin/program")).mode & 0o777).toBe(0o755);
    expect(statSync(path.join(unpacked, "bin")).mode & 0o777).toBe(0o755);
    expect(statSync(path.join(unpacked, "bin/program")).mtimeMs).toBe(0);
  });

  it.each([
    ["grew", (file: string) => appendFileSync(file, "more")],
    ["shrank", (file: string) => writeFileSync(file, "")],
  ])("refuses a file that %s since it was looked at", async (_word, change) => {
    const file = path.join(directory, "file");
    writeFileSync(file, "text");
    const entry: LayerEntry = { kind: "file", path: "file", mode: 0o644, source: { file, bytes: 4 } };
    change(file);
    await expect(bytesOf(tarOf([entry]))).rejects.toMatchObject({ code: "LAYER_CHANGED" });
  });
});

describe("orderedEntries", () => {
  it("gives one order, with a directory before what it holds, and the later of two for one path", () => {
    const entries = [
      textFile("b/c/d", "1"),
      textFile("a", "1"),
      textFile("b/c/d", "2"),
      textFile("b.txt", "1"),
    ];
    const ordered = orderedEntries(entries);
    expect(ordered.map((entry) => entry.path)).toEqual(["a", "b", "b.txt", "b/c", "b/c/d"]);
    expect(ordered).toEqual(orderedEntries([entries[1]!, entries[3]!, entries[2]!]));
  });
});

function unpack(tar: Uint8Array): string {
  const archive = path.join(directory, "archive.tar");
  writeFileSync(archive, tar);
  const target = mkdtempSync(path.join(directory, "unpacked-"));
  execFileSync("tar", ["--extract", "--same-permissions", "--file", archive, "--directory", target]);
  return target;
}
