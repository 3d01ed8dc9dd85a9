import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ClusterLock } from "./cluster-lock.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("is held by one at a time, and free again when its holder lets go", () => {
  const path = join(directory, "lock");
  const first = ClusterLock.take(path);
  expect(first).toBeDefined();
  expect(ClusterLock.take(path)).toBeUndefined();
  first!.release();
  const second = ClusterLock.take(path);
  expect(second).toBeDefined();
  second!.release();
});

it("says when its file was removed, and another can take it", () => {
  const path = join(directory, "lock");
  const first = ClusterLock.take(path)!;
  expect(first.isEffective).toBe(true);
  rmSync(path);
  const second = ClusterLock.take(path)!;
  expect([first.isEffective, second.isEffective]).toEqual([false, true]);
  first.release();
  second.release();
});

it("is not to be had in a directory that is gone", () => {
  expect(ClusterLock.take(join(directory, "gone", "lock"))).toBeUndefined();
});
