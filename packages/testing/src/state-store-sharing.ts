import assert from "node:assert/strict";
import { assertCommits, assertHeadMismatch, commitEach, put, reopened } from "./state-store-assertions.js";
import type { StateStoreCase } from "./state-store-case.js";

/** What holds when several processes have the same store open, and after all have closed it. */
export const sharingCases: readonly StateStoreCase[] = [
  {
    name: "what was committed is there when the store is opened again",
    run: async (fixture) => {
      const head = await commitEach(fixture.store, [put("a", { x: 1 })], [put("b", 2)]);
      const before = await fixture.store.read();
      await fixture.store[Symbol.asyncDispose]();
      await using again = await reopened(fixture);
      const after = await again.read();
      assert.deepEqual(after.head, head);
      assert.deepEqual(after, before);
    },
  },
  {
    name: "the history outlives the handle that made it",
    run: async (fixture) => {
      const { head } = await fixture.store.read();
      await commitEach(fixture.store, [put("a", 1)], [put("a", 2)]);
      await fixture.store[Symbol.asyncDispose]();
      await using again = await reopened(fixture);
      const told = await again.since(head);
      assertCommits(told);
      assert.deepEqual(
        told.map(({ changes }) => changes[0]?.value),
        [1, 2],
      );
    },
  },
  {
    name: "what one handle commits the other reads at once, and commits on top of",
    run: async (fixture) => {
      await using other = await reopened(fixture);
      const first = await commitEach(fixture.store, [put("a", 1)]);
      assert.deepEqual((await other.read()).head, first);
      const second = await other.commit(first, [put("a", 2)]);
      assert.deepEqual((await fixture.store.read()).head, second);
      await assertHeadMismatch(fixture.store.commit(first, [put("a", 3)]));
      const told = await fixture.store.since(first);
      assertCommits(told);
      assert.deepEqual(told[0]?.head, second);
    },
  },
  {
    name: "of two handles' commits that expect the same head exactly one succeeds, every time",
    run: async (fixture) => {
      await using other = await reopened(fixture);
      for (let round = 0; round < 20; round += 1) {
        const { head } = await fixture.store.read();
        const settled = await Promise.allSettled([
          fixture.store.commit(head, [put("a", round), put("by", "one")]),
          other.commit(head, [put("a", round), put("by", "other")]),
        ]);
        assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
        const by = (await other.read()).records.find(({ key }) => key === "by")?.value;
        assert.equal(by, settled[0].status === "fulfilled" ? "one" : "other");
      }
      assert.equal((await other.read()).head.revision, 20);
    },
  },
  {
    name: "an epoch is a store's own: the same at every handle, another for a store made anew",
    run: async (fixture, create) => {
      const { epoch } = (await fixture.store.read()).head;
      await using again = await reopened(fixture);
      assert.equal((await again.read()).head.epoch, epoch);
      await using anew = await create();
      assert.notEqual((await anew.store.read()).head.epoch, epoch);
      assert.equal(await anew.store.since((await fixture.store.read()).head), "resync");
    },
  },
  {
    name: "one that can be destroyed is gone for whoever has it open, and other stores beside it are not",
    run: async (fixture, create) => {
      assert.ok(fixture.store.destroy !== undefined, "a store that cannot be leaves this case out");
      await using beside = await create();
      const kept = await commitEach(beside.store, [put("a", 1)]);
      const lost = await commitEach(fixture.store, [put("a", 1)]);
      await using other = await reopened(fixture);
      await other.destroy?.();
      await assert.rejects(fixture.store.read());
      await assert.rejects(fixture.store.commit(lost, [put("a", 2)]));
      await fixture.store.destroy();
      await using anew = await reopened(fixture);
      const { head, records } = await anew.read();
      assert.deepEqual(records, []);
      assert.notEqual(head.epoch, lost.epoch);
      assert.deepEqual((await beside.store.read()).head, kept);
    },
  },
];
