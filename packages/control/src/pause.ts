import type { Clock } from "@clipper-serving/spec";

/** Resolves after `ms`, or as soon as the signal is aborted. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Wakeup(clock).wait(ms, signal);
}

/** A pause that can be ended from elsewhere; waking nobody ends the next pause at once. */
export class Wakeup {
  readonly #clock: Clock;
  #isDue = false;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#isDue = true;
    this.#end?.();
  }

  /** Resolves after `ms`, when woken, or when the signal is aborted. One caller at a time. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isDue && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          callOff();
          signal.removeEventListener("abort", end);
          resolve();
        };
        const callOff = this.#clock.after(ms * 1_000, end);
        signal.addEventListener("abort", end);
        this.#end = end;
      });
      this.#end = undefined;
    }
    this.#isDue = false;
  }
}
