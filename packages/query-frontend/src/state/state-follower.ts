import type { ServingState } from "@clipper-serving/serving";
import { InvalidArgumentError, type StateHead, type StateSnapshot } from "@clipper-serving/spec";
import type { Logger } from "pino";
import { KnownState } from "./known-state.js";
import type { ManagementConnection } from "./management-connection.js";
import { servableRecords } from "./servable-records.js";
import { SnapshotFile } from "./snapshot-file.js";
import { StateWatch, type WatchTimes } from "./state-watch.js";

export interface StateFollowerOptions {
  readonly management: ManagementConnection;
  readonly volume: string | undefined;
  readonly log: Logger;
  /** What to serve by from now on. */
  readonly onState: (state: ServingState) => void;
  readonly times?: Partial<WatchTimes>;
}

/** Keeps what is served by up to date: from the disk at first, then from the management frontend, and back to the disk. */
export class StateFollower {
  readonly #options: StateFollowerOptions;
  readonly #state = new KnownState();
  readonly #file: SnapshotFile | undefined;
  readonly #watch: StateWatch;
  #longestSloMicros = 0;

  constructor(options: StateFollowerOptions) {
    this.#options = options;
    const { log, management, times } = options;
    this.#file = options.volume === undefined ? undefined : new SnapshotFile(options.volume);
    this.#watch = new StateWatch({
      management,
      state: this.#state,
      ...(times === undefined ? {} : { times }),
      onApplied: () => {
        this.#serve();
        void this.#save();
      },
      onRegressed: (error) =>
        log.error({ err: error, code: error.code }, "the store has regressed: kept what was known"),
      onConnected: () => log.info("following the management frontend"),
      onDisconnected: (error) =>
        log.warn({ err: error }, "not following the management frontend: trying again"),
    });
  }

  get head(): StateHead | undefined {
    return this.#state.head;
  }

  snapshot(): StateSnapshot | undefined {
    return this.#state.snapshot();
  }

  longestSloMs(): number {
    return Math.ceil(this.#longestSloMicros / 1_000);
  }

  inspect(): { revision: number; regressions: number; connected: boolean } {
    return {
      revision: this.#state.head?.revision ?? 0,
      regressions: this.#watch.regressions,
      connected: this.#watch.isConnected,
    };
  }

  /** Serves by what is on disk, where there is something. A damaged snapshot is as good as none. */
  async restore(): Promise<void> {
    const { log } = this.#options;
    try {
      const snapshot = await this.#file?.read();
      if (snapshot === undefined) return;
      this.#state.applySnapshot(snapshot);
      log.info({ revision: snapshot.head.revision }, "serving by the snapshot on disk");
    } catch (error) {
      log.error({ err: error }, "the snapshot on disk is of no use");
      return;
    }
    this.#serve();
  }

  start(): void {
    this.#watch.start();
  }

  /** What was still to be written is written. */
  async stop(): Promise<void> {
    await this.#watch.stop();
    await this.#file?.written();
  }

  #serve(): void {
    const { log, onState } = this.#options;
    const state = servableRecords(this.#state.records(), ({ kind, key }) =>
      log.error({ kind, key }, "a record cannot be served by: left out"),
    );
    this.#longestSloMicros = Math.max(
      0,
      ...state.applications.map(({ latencySloMicros }) => latencySloMicros),
    );
    try {
      onState(state);
    } catch (error) {
      // Everything but the application it names is served.
      if (!InvalidArgumentError.isInstance(error)) throw error;
      log.error({ err: error }, "an application cannot be served");
    }
    log.info({ head: this.#state.head, applications: state.applications.length }, "state applied");
  }

  async #save(): Promise<void> {
    const snapshot = this.#state.snapshot();
    if (this.#file === undefined || snapshot === undefined) return;
    try {
      await this.#file.write(snapshot);
    } catch (error) {
      // A full disk must not cost a prediction; the next state tries again.
      this.#options.log.error({ err: error }, "the snapshot could not be written");
    }
  }
}
