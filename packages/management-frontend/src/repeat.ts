import type { Clock } from "@clipper-serving/spec";

export interface RepeatOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Until the first run, ms. Default: `everyMs`. */
  readonly firstAfterMs?: number;
  readonly run: () => void | Promise<void>;
}

/**
 * Runs again and again, each time `everyMs` after the last run ended. `run` must not throw or reject.
 * @returns a function that ends it
 */
export function repeat({ clock, everyMs, firstAfterMs = everyMs, run }: RepeatOptions): () => void {
  let ended = false;
  let cancel = clock.after(firstAfterMs * 1_000, turn);
  async function turn(): Promise<void> {
    await run();
    if (!ended) cancel = clock.after(everyMs * 1_000, turn);
  }
  return () => {
    ended = true;
    cancel();
  };
}
