const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A run this long was no failure to start: the next delay is the first again. */
const LONG_RUN_MS = 30_000;
/** Short runs in a row after which it is called a crash loop. */
const CRASH_LOOP_RUNS = 5;

/** How long to wait before an instance that ended is started again: 0.1 s, doubling to 10 s. */
export class RestartDelay {
  #shortRuns = 0;

  /** @returns ms to wait after a run that lasted `runMs` */
  next(runMs: number): number {
    this.#shortRuns = runMs >= LONG_RUN_MS ? 1 : this.#shortRuns + 1;
    return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#shortRuns - 1));
  }

  get isCrashLoop(): boolean {
    return this.#shortRuns >= CRASH_LOOP_RUNS;
  }
}
