import type { CallOptions } from "./call-options.js";

/**
 * Keeps a cluster's records, and knows when it has lost some.
 *
 * Words. A *head* names one state of the store: the *epoch* is made anew when a store is created empty, the *revision* counts commits within it, and
 * the *hash* chains every commit to the one before, so that a lost, rolled back or foreign store cannot pass for the one that was read.
 *
 * A commit is wholly there or not at all, and durable when it resolves: it survives `kill -9` of any process. Several processes may hold the same store
 * open; of two commits that expect the same head exactly one succeeds. Only management frontends open a store; it is never on the path of a query.
 */
export interface StateStore extends AsyncDisposable {
  /** `memory`, `sqlite`, `redis`; for errors. */
  readonly name: string;
  /** Everything, as of one head. @throws StoreUnavailableError */
  read(options?: CallOptions): Promise<StateSnapshot>;
  /**
   * Applies all changes, or none.
   * @param expected the head the changes were worked out from
   * @returns the new head
   * @throws HeadMismatchError when the store has moved on: read again and try anew
   * @throws StoreUnavailableError when it cannot be known to be durable; the commit then has happened or not, and `read` tells
   */
  commit(expected: StateHead, changes: readonly StateChange[], options?: CallOptions): Promise<StateHead>;
  /**
   * What was committed after `head`, oldest first.
   * @returns `"resync"` when the store cannot tell: another epoch, a revision it does not have, a hash that is not its own, or history it no longer keeps
   */
  since(head: StateHead, options?: CallOptions): Promise<readonly StateCommit[] | "resync">;
  /**
   * Removes all that the store keeps, and nothing of others beside it. Absent where the records go with the volume they lie on. Whoever has it
   * open still meets a store that has lost everything.
   * @throws StoreUnavailableError
   */
  destroy?(options?: CallOptions): Promise<void>;
}

export interface StateHead {
  readonly epoch: string;
  readonly revision: number;
  /** 64 hex digits. */
  readonly hash: string;
}

export interface StateSnapshot {
  readonly head: StateHead;
  readonly records: readonly StateRecord[];
}

export interface StateRecord {
  readonly kind: string;
  readonly key: string;
  /** JSON. */
  readonly value: unknown;
  /** Of the commit that last changed it. */
  readonly revision: number;
}

export interface StateChange {
  readonly kind: string;
  readonly key: string;
  /** JSON; undefined removes the record. */
  readonly value?: unknown;
}

export interface StateCommit {
  readonly head: StateHead;
  readonly changes: readonly StateChange[];
}
