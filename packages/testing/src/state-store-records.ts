import assert from "node:assert/strict";
import { commitEach, put, remove, sorted } from "./state-store-assertions.js";
import type { StateStoreCase } from "./state-store-case.js";

const VALUES: readonly unknown[] = [
  null,
  false,
  0,
  -1.5e-300,
  2 ** 53 - 1,
  "",
  "naïve 🦀 \u0000 \\ \" ' \n",
  [],
  {},
  [[1, [2, [3]]], null, { a: [] }],
  { b: { d: 1, c: "2" }, "": 0, "a.b": [true] },
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as unknown,
  "x".repeat(100_000),
];

const KEYS = ["a", "m:1", "A", "a ", "ä", "🦀", "a/b", "*", "'; DROP TABLE records; --", "k".repeat(1_000)];

/** What is in a store, and in what shape it comes back. */
export const recordCases: readonly StateStoreCase[] = [
  {
    name: "a new store is empty, at revision 0",
    run: async ({ store }) => {
      const { head, records } = await store.read();
      assert.deepEqual(records, []);
      assert.equal(head.revision, 0);
      assert.match(head.hash, /^[0-9a-f]{64}$/);
      assert.notEqual(head.epoch, "");
    },
  },
  {
    name: "reading gives every record with the revision of the commit that last changed it",
    run: async ({ store }) => {
      await commitEach(
        store,
        [put("a", 1), put("b", 1)],
        [put("b", 2), put("c", 2)],
        [remove("a"), remove("never there")],
      );
      const { head, records } = await store.read();
      assert.equal(head.revision, 3);
      assert.deepEqual(sorted(records), [
        { kind: "thing", key: "b", value: 2, revision: 2 },
        { kind: "thing", key: "c", value: 2, revision: 2 },
      ]);
    },
  },
  {
    name: "values come back as the JSON they were, null included",
    run: async ({ store }) => {
      await commitEach(
        store,
        VALUES.map((value, index) => put(`v${index}`, value)),
      );
      const { records } = await store.read();
      const found = new Map(records.map(({ key, value }) => [key, value]));
      assert.equal(found.size, VALUES.length);
      VALUES.forEach((value, index) => {
        assert.deepEqual(found.get(`v${index}`), value);
      });
      assert.equal(Reflect.get({}, "polluted"), undefined);
    },
  },
  {
    name: "keys are told apart exactly, and mean nothing to the store",
    run: async ({ store }) => {
      await commitEach(
        store,
        KEYS.map((key) => put(key, key)),
      );
      const { records } = await store.read();
      assert.deepEqual(new Set(records.map(({ key }) => key)), new Set(KEYS));
      for (const { key, value } of records) assert.equal(value, key);
    },
  },
  {
    name: "one key may be used in several kinds",
    run: async ({ store }) => {
      await commitEach(store, [put("a", 1, "x"), put("a", 2, "y")], [remove("a", "x")]);
      const { records } = await store.read();
      assert.deepEqual(records, [{ kind: "y", key: "a", value: 2, revision: 1 }]);
    },
  },
  {
    name: "what the caller does to its objects afterwards is not in the store, nor the other way about",
    run: async ({ store }) => {
      const value = { list: [1] };
      await commitEach(store, [put("a", value)]);
      value.list.push(2);
      const readValue = async () => (await store.read()).records[0]?.value;
      const read = (await readValue()) as typeof value;
      assert.deepEqual(read, { list: [1] });
      read.list.push(3);
      assert.deepEqual(await readValue(), { list: [1] });
    },
  },
  {
    name: "a commit of many changes is there as a whole, the last change of a key winning",
    run: async ({ store }) => {
      const changes = Array.from({ length: 500 }, (_, index) => put(`k${index % 250}`, index));
      await commitEach(store, changes);
      const { records } = await store.read();
      assert.equal(records.length, 250);
      for (const { key, value, revision } of records) {
        assert.equal(value, Number(key.slice(1)) + 250);
        assert.equal(revision, 1);
      }
    },
  },
];
