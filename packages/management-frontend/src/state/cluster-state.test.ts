import { createApplication } from "@clipper-serving/control";
import { HeadMismatchError, StoreRegressedError, StoreUnavailableError } from "@clipper-serving/spec";
import { createMemoryStore } from "@clipper-serving/state";
import { beforeEach, describe, expect, it } from "vitest";
import { type UnreliableStore, unreliable } from "../test-support/unreliable-store.js";
import { ClusterState, type StateEvent } from "./cluster-state.js";

let store: UnreliableStore;
let state: ClusterState;

beforeEach(() => {
  store = unreliable(createMemoryStore());
  state = new ClusterState({ store, attempts: 3 });
});

const add = (name: string, to = state) =>
  to.mutate((view) =>
    createApplication(view, { name, inputType: "doubles", defaultOutput: "", latencySloMicros: 1_000 }),
  );
const names = async (of = state) => (await of.read()).applications().map(({ name }) => name);

describe("ClusterState", () => {
  it("decides anew when another process commits first", async () => {
    const other = new ClusterState({ store: createOther() });
    let overtakings = 0;
    store.beforeCommit = async () => {
      if (overtakings++ === 0) await add("theirs", other);
    };
    await add("ours");
    expect(await names()).toEqual(["ours", "theirs"]);
    expect(overtakings).toBe(2);
  });

  it("gives up when others keep committing first", async () => {
    const other = new ClusterState({ store: createOther() });
    let count = 0;
    store.beforeCommit = async () => {
      await add(`theirs-${count++}`, other);
    };
    await expect(add("ours")).rejects.toSatisfy((error) => HeadMismatchError.isInstance(error));
    expect(count).toBe(3);
  });

  it("sees what another process decided when it decides", async () => {
    const other = new ClusterState({ store: createOther() });
    await names();
    await add("a", other);
    await expect(add("a")).rejects.toMatchObject({ code: "APPLICATION_EXISTS" });
  });

  it("works again after the store was away, with nothing half done", async () => {
    await add("before");
    store.down = true;
    await expect(add("during")).rejects.toSatisfy((error) => StoreUnavailableError.isInstance(error));
    await expect(names()).rejects.toSatisfy((error) => StoreUnavailableError.isInstance(error));
    store.down = false;
    await add("after");
    expect(await names()).toEqual(["after", "before"]);
  });

  it("does not take a store that lost commits for ours", async () => {
    await add("a");
    const fresh = createMemoryStore();
    store.read = (options) => fresh.read(options);
    store.since = (head, options) => fresh.since(head, options);
    await expect(names()).rejects.toSatisfy((error) => StoreRegressedError.isInstance(error));
    await expect(add("b")).rejects.toSatisfy((error) => StoreRegressedError.isInstance(error));
    expect((await fresh.read()).records).toEqual([]);
  });

  it("goes on from a snapshot when the store keeps no history that far back", async () => {
    const short = createMemoryStore({ historyCommits: 1 });
    const [first, second] = [new ClusterState({ store: short }), new ClusterState({ store: short })];
    const events: StateEvent[] = [];
    await first.follow(undefined, (event) => events.push(event));
    for (const name of ["a", "b", "c"]) await add(name, second);
    expect(await names(first)).toEqual(["a", "b", "c"]);
    expect(events.map(({ type }) => type)).toEqual(["snapshot", "snapshot"]);
  });

  it("tells a follower every commit after its head once, in order", async () => {
    await add("a");
    const { head } = await state.read();
    await add("b");
    const revisions: number[] = [];
    const follow = state.follow(head, (event) => {
      if (event.type === "commit") revisions.push(event.commit.head.revision);
    });
    await Promise.all([follow, add("c"), add("d")]);
    expect(revisions).toEqual([2, 3, 4]);
    (await follow)();
    await add("e");
    expect(revisions).toEqual([2, 3, 4]);
  });

  /** The same records, never in the way of themselves. */
  function createOther() {
    const { read, since, name } = store;
    return {
      name,
      read,
      since,
      commit: async (...[expected, changes]: Parameters<UnreliableStore["commit"]>) => {
        const { beforeCommit } = store;
        store.beforeCommit = async () => {};
        try {
          return await store.commit(expected, changes);
        } finally {
          store.beforeCommit = beforeCommit;
        }
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }
});
