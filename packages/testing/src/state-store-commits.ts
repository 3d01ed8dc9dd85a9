import assert from "node:assert/strict";
import { assertCode, assertHeadMismatch, commitEach, put } from "./state-store-assertions.js";
import type { StateStoreCase } from "./state-store-case.js";

/** When a commit happens, and when it does not. */
export const commitCases: readonly StateStoreCase[] = [
  {
    name: "a commit gives the new head: one revision on, another hash, the same epoch",
    run: async ({ store }) => {
      const { head: before } = await store.read();
      const after = await store.commit(before, [put("a", 1)]);
      assert.equal(after.revision, before.revision + 1);
      assert.equal(after.epoch, before.epoch);
      assert.match(after.hash, /^[0-9a-f]{64}$/);
      assert.notEqual(after.hash, before.hash);
      assert.deepEqual((await store.read()).head, after);
    },
  },
  {
    name: "equal changes at different heads give different hashes: a head stands for all before it",
    run: async ({ store }) => {
      const first = await commitEach(store, [put("a", 1)]);
      const second = await store.commit(first, [put("a", 1)]);
      const third = await store.commit(second, [put("a", 1)]);
      assert.equal(new Set([first.hash, second.hash, third.hash]).size, 3);
    },
  },
  {
    name: "a commit expecting an older head is refused, and changes nothing",
    run: async ({ store }) => {
      const { head: stale } = await store.read();
      const current = await store.commit(stale, [put("a", 1)]);
      await assertHeadMismatch(store.commit(stale, [put("a", 2), put("b", 2)]));
      const { head, records } = await store.read();
      assert.deepEqual(head, current);
      assert.deepEqual(
        records.map(({ key, value }) => [key, value]),
        [["a", 1]],
      );
    },
  },
  {
    name: "a commit expecting the right revision with another hash or epoch is refused",
    run: async ({ store }) => {
      const head = await commitEach(store, [put("a", 1)]);
      await assertHeadMismatch(store.commit({ ...head, hash: "0".repeat(64) }, [put("b", 1)]));
      await assertHeadMismatch(store.commit({ ...head, epoch: `${head.epoch}x` }, [put("b", 1)]));
      await assertHeadMismatch(store.commit({ ...head, revision: 2 }, [put("b", 1)]));
      assert.equal((await store.read()).records.length, 1);
    },
  },
  {
    name: "of commits that expect the same head at the same time exactly one succeeds",
    run: async ({ store }) => {
      const { head } = await store.read();
      const settled = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) => store.commit(head, [put("winner", index)])),
      );
      const winner = settled.findIndex(({ status }) => status === "fulfilled");
      assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
      for (const outcome of settled) {
        if (outcome.status === "rejected") await assertHeadMismatch(Promise.reject(outcome.reason));
      }
      const after = await store.read();
      assert.equal(after.head.revision, 1);
      assert.equal(after.records[0]?.value, winner);
    },
  },
  {
    name: "an aborted call rejects with the signal's reason, and changes nothing",
    run: async ({ store }) => {
      const { head } = await store.read();
      const reason = new TypeError("no longer wanted");
      const signal = AbortSignal.abort(reason);
      const isReason = (error: unknown): boolean => error === reason;
      await assert.rejects(store.commit(head, [put("a", 1)], { signal }), isReason);
      await assert.rejects(store.read({ signal }), isReason);
      await assert.rejects(store.since(head, { signal }), isReason);
      assert.deepEqual(await store.read(), { head, records: [] });
    },
  },
  {
    name: "a closed store refuses every call, and may be closed again",
    run: async ({ store }) => {
      const { head } = await store.read();
      await store[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await assertCode(store.read(), "STORE_UNAVAILABLE");
      await assertCode(store.commit(head, [put("a", 1)]), "STORE_UNAVAILABLE");
      await assertCode(store.since(head), "STORE_UNAVAILABLE");
    },
  },
];
