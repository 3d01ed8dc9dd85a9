import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "./index.js";
import { countOf, startCommitter } from "./test-support/start-committer.js";
import { temporaryDirectory } from "./test-support/temporary-directory.js";

describe("several processes on one file", () => {
  it("commit one after another: nobody's commit is lost, and no two are made from one head", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    const rounds = 60;
    const committers = ["a", "b", "c"].map((name) => startCommitter(path, name, rounds));
    await Promise.all(committers.map(({ ended }) => ended));
    await using store = await openSqliteStore({ path });
    const { head, records } = await store.read();
    expect(head.revision).toBe(3 * rounds);
    expect(countOf(records, "total")).toBe(3 * rounds);
    for (const name of ["a", "b", "c"]) expect(countOf(records, `by-${name}`)).toBe(rounds);
    const revisions = committers.flatMap(({ acknowledged }) => acknowledged.map(({ revision }) => revision));
    expect(new Set(revisions).size).toBe(3 * rounds);
  }, 30_000);

  it("kill -9 amid commits loses no acknowledged commit and leaves none half done", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    const hashes = new Map<number, string>();
    for (let round = 0; round < 6; round += 1) {
      const victim = startCommitter(path, "victim");
      const other = startCommitter(path, "other");
      // Another count each time, so that it is struck at other places of a commit.
      await Promise.all([victim.reached(5 + round * 3), other.reached(5)]);
      victim.child.kill("SIGKILL");
      await victim.ended;
      await other.reached(other.acknowledged.length + 5);
      other.child.kill("SIGKILL");
      await other.ended;
      for (const { revision, hash } of [...victim.acknowledged, ...other.acknowledged]) {
        expect(hashes.has(revision)).toBe(false);
        hashes.set(revision, hash);
      }
      await using store = await openSqliteStore({ path, historyCommits: 50 });
      const { head, records } = await store.read();
      expect(store.problems()).toEqual([]);
      expect(countOf(records, "total")).toBe(head.revision);
      expect(countOf(records, "by-victim") + countOf(records, "by-other")).toBe(head.revision);
      const last = Math.max(...hashes.keys());
      expect(head.revision).toBeGreaterThanOrEqual(last);
      const after = await store.since({ ...head, revision: last, hash: hashes.get(last) ?? "" });
      expect(after).toHaveLength(head.revision - last);
    }
    expect(hashes.size).toBeGreaterThan(60);
  }, 30_000);
});
