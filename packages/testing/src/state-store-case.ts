import type { StateStore } from "@clipper-serving/spec";

/** One store of its own for one test: nothing of other tests is in it. */
export interface StateStoreFixture extends AsyncDisposable {
  readonly store: StateStore;
  /** Opens the same records once more, as another process would; the first stays open. Absent: they cannot be. */
  reopen?(): Promise<StateStore>;
}

/** One promise of the interface, and how it is put to the test. */
export interface StateStoreCase {
  readonly name: string;
  readonly run: (fixture: StateStoreFixture, create: () => Promise<StateStoreFixture>) => Promise<void>;
}

/** Commits the stores of the suite keep. */
export const HISTORY_COMMITS = 8;
