import { sweepOperations } from "@clipper-serving/control";
import type { Clock, OperationRecord } from "@clipper-serving/spec";
import { repeat } from "../repeat.js";
import type { ClusterState } from "./cluster-state.js";

export interface StateUpkeepOptions {
  readonly state: ClusterState;
  readonly clock: Clock;
  /** Wall clock, ms since 1970. */
  readonly nowMs: () => number;
  /** Default 1,000. */
  readonly everyMs?: number;
  readonly onEnded: (operation: OperationRecord) => void;
  readonly onFailed: (error: unknown) => void;
  readonly onRecovered: () => void;
}

/** Each second: what other processes committed is told to the watchers, and operations whose callers are gone are ended. */
export class StateUpkeep {
  readonly #options: Required<StateUpkeepOptions>;
  #end: (() => void) | undefined;
  #failed = false;

  constructor({ everyMs = 1_000, ...options }: StateUpkeepOptions) {
    this.#options = { ...options, everyMs };
  }

  /** Whether the store could be used the last time. */
  get healthy(): boolean {
    return !this.#failed;
  }

  start(): void {
    const { clock, everyMs } = this.#options;
    this.#end = repeat({ clock, everyMs, run: () => this.#turn() });
  }

  stop(): void {
    this.#end?.();
  }

  async #turn(): Promise<void> {
    const { state, nowMs, onEnded, onFailed, onRecovered } = this.#options;
    try {
      const { result } = await state.mutate((view) => sweepOperations(view, { nowMs: nowMs() }));
      for (const operation of result) onEnded(operation);
      if (this.#failed) onRecovered();
      this.#failed = false;
    } catch (error) {
      // Told once; the next turn tries again.
      if (!this.#failed) onFailed(error);
      this.#failed = true;
    }
  }
}
