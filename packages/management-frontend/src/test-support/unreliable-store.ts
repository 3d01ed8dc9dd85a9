import { type StateStore, StoreUnavailableError } from "@clipper-serving/spec";

export interface UnreliableStore extends StateStore {
  /** While true, nothing works. */
  down: boolean;
  /** Called before each commit: somebody else's chance. */
  beforeCommit: () => Promise<void>;
  /** Called before it tells what changed. */
  beforeSince: () => Promise<void>;
}

/** A store that can be made to fail, and to be overtaken. */
export function unreliable(store: StateStore): UnreliableStore {
  const check = (operation: string) => {
    if (wrapped.down) throw new StoreUnavailableError({ store: store.name, operation });
  };
  const wrapped: UnreliableStore = {
    down: false,
    beforeCommit: async () => {},
    beforeSince: async () => {},
    name: store.name,
    async read(options) {
      check("read");
      return store.read(options);
    },
    async commit(expected, changes, options) {
      check("commit");
      await wrapped.beforeCommit();
      return store.commit(expected, changes, options);
    },
    async since(head, options) {
      check("since");
      await wrapped.beforeSince();
      return store.since(head, options);
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  return wrapped;
}
