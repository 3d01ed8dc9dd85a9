import assert from "node:assert/strict";
import type { StateChange } from "@clipper-serving/spec";
import {
  assertCommits,
  assertHeadMismatch,
  commitEach,
  put,
  remove,
  replay,
  sorted,
} from "./state-store-assertions.js";
import { HISTORY_COMMITS, type StateStoreCase } from "./state-store-case.js";

/** What a store tells to those who have read it before. */
export const historyCases: readonly StateStoreCase[] = [
  {
    name: "nothing was committed since the current head",
    run: async ({ store }) => {
      const { head } = await store.read();
      assert.deepEqual(await store.since(head), []);
      const next = await store.commit(head, [put("a", 1)]);
      assert.deepEqual(await store.since(next), []);
    },
  },
  {
    name: "commits are told oldest first, each with its head, so that replaying them is reading",
    run: async ({ store }) => {
      const start = await store.read();
      const heads = [
        await commitEach(store, [put("a", 1), put("b", { x: [1] })]),
        await commitEach(store, [put("a", 2), remove("b")]),
        await commitEach(store, [put("c", null)]),
      ];
      const told = await store.since(start.head);
      assertCommits(told);
      assert.deepEqual(
        told.map(({ head }) => head),
        heads,
      );
      assert.deepEqual(replay(start.records, told), sorted((await store.read()).records));
      const later = await store.since(heads[1] as (typeof heads)[number]);
      assert.deepEqual(later, told.slice(2));
    },
  },
  {
    name: "a removal is told as a change without a value, and null as a value",
    run: async ({ store }) => {
      const head = await commitEach(store, [put("a", 1), put("b", 1)]);
      await store.commit(head, [remove("a"), put("b", null)]);
      const told = await store.since(head);
      assertCommits(told);
      const [removed, kept] = told[0]?.changes ?? [];
      assert.equal(removed?.value, undefined);
      assert.equal(kept?.value, null);
    },
  },
  {
    name: "a head of another epoch, of the future, or with a hash that is not its own means resync",
    run: async ({ store }) => {
      const first = await commitEach(store, [put("a", 1)]);
      const second = await store.commit(first, [put("a", 2)]);
      const foreign = [
        { ...second, epoch: `${second.epoch}x` },
        { ...second, revision: 3 },
        { ...second, hash: first.hash },
        { ...first, hash: second.hash },
        { ...first, revision: 0 },
      ];
      for (const head of foreign) assert.equal(await store.since(head), "resync");
    },
  },
  {
    name: "as many commits as the history holds can be told, and a head long gone means resync",
    run: async ({ store }) => {
      const { head: first } = await store.read();
      const many = Array.from({ length: HISTORY_COMMITS * 2 + 4 }, (_, index) => [put("a", index)]);
      const gone = await commitEach(store, ...many);
      assert.equal(await store.since(first), "resync");
      const within = Array.from({ length: HISTORY_COMMITS }, (_, index) => [put("b", index)]);
      await commitEach(store, ...within);
      const told = await store.since(gone);
      assertCommits(told);
      assert.equal(told.length, HISTORY_COMMITS);
    },
  },
  {
    name: "a long random history keeps to a plain model of it, stale commits included",
    run: async ({ store }) => {
      const random = lcg(20_170_327);
      const model = new Map<string, unknown>();
      let head = (await store.read()).head;
      let follower = await store.read();
      for (let step = 0; step < 150; step += 1) {
        const changes = Array.from({ length: 1 + random(3) }, () => randomChange(random));
        if (random(5) === 0 && head.revision > 0) {
          await assertHeadMismatch(store.commit({ ...head, revision: head.revision - 1 }, changes));
          continue;
        }
        head = await store.commit(head, changes);
        for (const { key, value } of changes) {
          if (value === undefined) model.delete(key);
          else model.set(key, value);
        }
        if (random(4) === 0) {
          const told = await store.since(follower.head);
          follower =
            told === "resync" ? await store.read() : { head, records: replay(follower.records, told) };
          assert.deepEqual(new Map(follower.records.map(({ key, value }) => [key, value])), model);
          assert.deepEqual(sorted((await store.read()).records), sorted(follower.records));
        }
      }
    },
  },
];

function randomChange(random: (below: number) => number): StateChange {
  const key = `k${random(6)}`;
  return random(3) === 0 ? remove(key) : put(key, { n: random(1_000), list: [random(3)] });
}

/** The same numbers on every machine, so that a failure can be seen again. */
function lcg(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
