import { type Decision, StateView } from "@clipper-serving/control";
import {
  ConflictError,
  HeadMismatchError,
  type StateHead,
  type StateStore,
  StoreRegressedError,
  type WatchEvent,
} from "@clipper-serving/spec";

/** What watchers are told of the state. */
export type StateEvent = Exclude<WatchEvent, { type: "beat" }>;

export interface ClusterStateOptions {
  readonly store: StateStore;
  /** Refuses a change of a store that has lost what it held. */
  readonly checkNotLost?: (head: StateHead) => void;
  /** Waited for before a change of an empty store: until then nobody may have told that it was not empty. Default: nothing. */
  readonly untilTold?: () => Promise<void>;
  /** How often a decision is made anew when another process commits first. Default 20. */
  readonly attempts?: number;
}

/** What a decision came to, and the records after it. */
export interface Committed<Result> {
  readonly result: Result;
  readonly view: StateView;
}

/**
 * The state as this process knows it: a view kept up with the store, one thing at a time. Whatever is decided here is decided on what the
 * store holds at that moment, other processes' commits included, and told to the watchers in the order of the commits.
 */
export class ClusterState {
  readonly #store: StateStore;
  readonly #checkNotLost: (head: StateHead) => void;
  readonly #untilTold: () => Promise<void>;
  readonly #attempts: number;
  readonly #listeners = new Set<(event: StateEvent) => void>();
  #view: StateView | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor({
    store,
    checkNotLost = () => {},
    untilTold = async () => {},
    attempts = 20,
  }: ClusterStateOptions) {
    this.#store = store;
    this.#checkNotLost = checkNotLost;
    this.#untilTold = untilTold;
    this.#attempts = attempts;
  }

  /** Head of what was last read; undefined before the first read. */
  get head(): StateHead | undefined {
    return this.#view?.head;
  }

  get storeName(): string {
    return this.#store.name;
  }

  /** @returns what the store holds now. @throws StoreUnavailableError, StoreRegressedError */
  read(): Promise<StateView> {
    return this.#oneAtATime(() => this.#refresh());
  }

  /**
   * Decides and commits; durable when it resolves. Anything `decide` throws is passed on, with nothing committed.
   * @param options.whenLost whether it may change a store that has lost what it held: only what settles that may. Default false
   * @throws HeadMismatchError when others kept committing first
   * @throws StoreUnavailableError, StoreRegressedError, StateLostError
   */
  async mutate<Result>(
    decide: (view: StateView) => Decision<Result>,
    { whenLost = false }: { readonly whenLost?: boolean } = {},
  ): Promise<Committed<Result>> {
    // Not in turn with the others: what only reads goes on meanwhile.
    if (!whenLost && this.head?.revision === 0) await this.#untilTold();
    return this.#oneAtATime(async () => {
      for (let attempt = 1; ; attempt++) {
        const view = await this.#refresh();
        const { changes, result } = decide(view);
        if (changes.length === 0) return { result, view };
        if (!whenLost) this.#checkNotLost(view.head);
        try {
          const head = await this.#store.commit(view.head, changes);
          this.#apply({ type: "commit", commit: { head, changes } });
          return { result, view: this.#view! };
        } catch (error) {
          // Another process was first; what was decided may no longer hold.
          if (!HeadMismatchError.isInstance(error) || attempt >= this.#attempts) throw error;
        }
      }
    });
  }

  /**
   * Removes every record, of a store that does not go with the cluster's volumes.
   * @throws ConflictError for one that does; StoreUnavailableError
   */
  destroy(): Promise<void> {
    return this.#oneAtATime(async () => {
      if (this.#store.destroy === undefined) {
        throw new ConflictError({
          message: `records in ${this.#store.name} go with the volume they lie on`,
          hint: "remove the cluster with its volumes",
        });
      }
      await this.#store.destroy();
    });
  }

  /**
   * Tells everything after `head`, then each commit as it happens, without a gap or a repetition.
   * @param head absent, or not one the store can tell from: a snapshot comes first
   * @returns a function that ends the telling
   */
  follow(head: StateHead | undefined, listener: (event: StateEvent) => void): Promise<() => void> {
    return this.#oneAtATime(async () => {
      const view = await this.#refresh();
      const commits = head === undefined ? "resync" : await this.#store.since(head);
      if (commits === "resync") listener({ type: "snapshot", snapshot: view.snapshot() });
      // What another process has committed since the refresh comes with the next one.
      else {
        for (const commit of commits) {
          if (commit.head.revision <= view.head.revision) listener({ type: "commit", commit });
        }
      }
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    });
  }

  async #refresh(): Promise<StateView> {
    if (this.#view === undefined) {
      this.#view = new StateView(await this.#store.read());
      return this.#view;
    }
    const commits = await this.#store.since(this.#view.head);
    if (commits === "resync") {
      const snapshot = await this.#store.read();
      const known = this.#view.head;
      // History may have been cut short; a store that went back, or is another one, must not be taken for ours.
      if (snapshot.head.epoch !== known.epoch || snapshot.head.revision <= known.revision) {
        throw new StoreRegressedError({ store: this.#store.name, known, found: snapshot.head });
      }
      this.#apply({ type: "snapshot", snapshot });
    } else {
      for (const commit of commits) this.#apply({ type: "commit", commit });
    }
    return this.#view;
  }

  #apply(event: StateEvent): void {
    this.#view = event.type === "snapshot" ? new StateView(event.snapshot) : this.#view!.after(event.commit);
    for (const listener of this.#listeners) listener(event);
  }

  #oneAtATime<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(run, run);
    this.#last = result;
    return result;
  }
}
