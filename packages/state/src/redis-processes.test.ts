import { describe, expect, it } from "vitest";
import { openRedisStore } from "./redis.js";
import { RedisServer, redisAbsence } from "./test-support/redis-server.js";
import { countOf, startCommitter } from "./test-support/start-committer.js";

const absence = redisAbsence();

describe.skipIf(absence)(
  `several processes on one Redis${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    it("commit one after another: nobody's commit is lost, and no two are made from one head", async () => {
      await using server = await RedisServer.start();
      const rounds = 60;
      const committers = ["a", "b", "c"].map((name) => startCommitter(server.url, name, rounds));
      await Promise.all(committers.map(({ ended }) => ended));
      await using store = await openRedisStore({ url: server.url });
      const { head, records } = await store.read();
      expect(head.revision).toBe(3 * rounds);
      expect(countOf(records, "total")).toBe(3 * rounds);
      for (const name of ["a", "b", "c"]) expect(countOf(records, `by-${name}`)).toBe(rounds);
      const revisions = committers.flatMap(({ acknowledged }) =>
        acknowledged.map(({ revision }) => revision),
      );
      expect(new Set(revisions).size).toBe(3 * rounds);
    }, 30_000);

    it("kill -9 of Redis amid commits loses no acknowledged commit and leaves none half done; they go on by themselves", async () => {
      await using server = await RedisServer.start();
      const committers = ["a", "b"].map((name) => startCommitter(server.url, name));
      try {
        for (let round = 0; round < 5; round += 1) {
          // Another count each time, so that it is struck at other places of a commit.
          await Promise.all(
            committers.map(({ acknowledged, reached }) => reached(acknowledged.length + 5 + round * 3)),
          );
          await server.down("SIGKILL");
          // What was told by now was told before: whatever is read later must hold it.
          const told = committers.flatMap(({ acknowledged }) => acknowledged);
          const last = told.reduce((a, b) => (a.revision > b.revision ? a : b));
          await server.up();
          await using store = await openRedisStore({ url: server.url, historyCommits: 50 });
          const { head, records } = await store.read();
          expect(store.problems()).toEqual([]);
          expect(head.revision).toBeGreaterThanOrEqual(last.revision);
          expect(countOf(records, "total")).toBe(head.revision);
          expect(countOf(records, "by-a") + countOf(records, "by-b")).toBe(head.revision);
          // The chain of hashes goes from what was told last to what is there.
          const after = await store.since({ ...head, ...last });
          expect(after).not.toBe("resync");
        }
      } finally {
        for (const { child, ended } of committers) {
          child.kill("SIGKILL");
          await ended;
        }
      }
    }, 30_000);
  },
);
