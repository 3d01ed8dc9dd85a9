import { DEFAULT_LEASE_MS, sweepOperations } from "@clipper-serving/control";
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
  /** How long after the start no operation is ended: its caller could not renew while no frontend ran. Default one lease. */
  readonly graceMs?: number;
  readonly onEnded: (operation: OperationRecord) => void;
  readonly onFailed: (error: unknown) => void;
  readonly onRecovered: () => void;
}

/** Each second: what other processes committed is told to the watchers, and operations whose callers are gone are ended. */
export class StateUpkeep {
  readonly #options: Required<StateUpkeepOptions>;
  #end: (() => void) | undefined;
  #failed = false;

  constructor({ everyMs = 1_000, graceMs = DEFAULT_LEASE_MS, ...options }: StateUpkeepOptions) {
    this.#options = { ...options, everyMs, graceMs };
  }

  /** Whether the store could be used the last time. */
  get healthy(): boolean {
    return !this.#failed;
  }

  start(): void {
    const { clock, everyMs, graceMs } = this.#options;
    const sweepFrom = clock.nowMicros() + graceMs * 1_000;
    this.#end = repeat({ clock, everyMs, run: () => this.#turn(clock.nowMicros() >= sweepFrom) });
  }

  stop(): void {
    this.#end?.();
  }

  async #turn(sweeps: boolean): Promise<void> {
    const { state, nowMs, onEnded, onFailed, onRecovered } = this.#options;
    try {
      if (!sweeps) await state.read();
      else {
        const { result } = await state.mutate((view) => sweepOperations(view, { nowMs: nowMs() }));
        for (const operation of result) onEnded(operation);
      }
      if (this.#failed) onRecovered();
      this.#failed = false;
    } catch (error) {
      // Told once; the next turn tries again.
      if (!this.#failed) onFailed(error);
      this.#failed = true;
    }
  }
}
