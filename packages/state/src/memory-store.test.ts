import { stateStoreSuite } from "@clipper-serving/testing/state-store";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "./index.js";

const ONE_PROCESS = "it lives and ends with one handle";

stateStoreSuite({
  runner: { describe, it },
  name: "memory",
  create: async (options) => {
    const store = createMemoryStore(options);
    return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  },
  skip: {
    "what was committed is there when the store is opened again": ONE_PROCESS,
    "the history outlives the handle that made it": ONE_PROCESS,
    "what one handle commits the other reads at once, and commits on top of": ONE_PROCESS,
    "of two handles' commits that expect the same head exactly one succeeds, every time": ONE_PROCESS,
    "an epoch is a store's own: the same at every handle, another for a store made anew": ONE_PROCESS,
    "one that can be destroyed is gone for whoever has it open, and other stores beside it are not":
      ONE_PROCESS,
  },
});

describe("createMemoryStore", () => {
  it("makes each store with an epoch of its own", async () => {
    const [one, other] = await Promise.all([createMemoryStore().read(), createMemoryStore().read()]);
    expect(one.head.epoch).not.toBe(other.head.epoch);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses a history of %s commits", (historyCommits) => {
    expect(() => createMemoryStore({ historyCommits })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("refuses a value that is not JSON before anything is written", async () => {
    const store = createMemoryStore();
    const { head } = await store.read();
    await expect(store.commit(head, [{ kind: "thing", key: "a", value: () => 1 }])).rejects.toBeInstanceOf(
      TypeError,
    );
    expect((await store.read()).head).toEqual(head);
  });
});
