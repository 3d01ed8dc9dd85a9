import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StateSnapshot } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SnapshotCorruptError, SnapshotFile } from "./snapshot-file.js";

let directory: string;
let file: SnapshotFile;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "clipper-snapshot-"));
  file = new SnapshotFile(directory);
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function snapshot(revision: number): StateSnapshot {
  const records = [{ kind: "application", key: "é", value: { revision }, revision }];
  return { head: { epoch: "e", revision, hash: "h" }, records };
}

describe("the snapshot on disk", () => {
  it("is read as it was written, and is nobody else's to read", async () => {
    expect(await file.read()).toBeUndefined();
    await file.write(snapshot(1));
    expect(await new SnapshotFile(directory).read()).toEqual(snapshot(1));
    expect((await stat(file.path)).mode & 0o077).toBe(0);
  });

  it("ends as the last of many written at once", async () => {
    await Promise.all(Array.from({ length: 50 }, (_, revision) => file.write(snapshot(revision))));
    expect(await file.read()).toEqual(snapshot(49));
  });

  it("is refused when any byte of it is missing or changed", async () => {
    await file.write(snapshot(1));
    const whole = await readFile(file.path);
    for (let at = 0; at < whole.length; at += 7) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ 1;
      await writeFile(file.path, changed);
      await expect(file.read()).rejects.toThrow(SnapshotCorruptError);
      await writeFile(file.path, whole.subarray(0, at));
      await expect(file.read()).rejects.toThrow(SnapshotCorruptError);
    }
  });

  it("is the last whole one when a write ended half-way", async () => {
    await file.write(snapshot(1));
    await writeFile(`${file.path}.new`, "half");
    expect(await file.read()).toEqual(snapshot(1));
    await file.write(snapshot(2));
    expect(await file.read()).toEqual(snapshot(2));
  });

  it("says when it cannot be written, and can be again", async () => {
    await rm(directory, { recursive: true });
    await expect(file.write(snapshot(1))).rejects.toThrow("ENOENT");
    directory = await mkdtemp(join(tmpdir(), "clipper-snapshot-"));
    await new SnapshotFile(directory).write(snapshot(2));
  });
});
