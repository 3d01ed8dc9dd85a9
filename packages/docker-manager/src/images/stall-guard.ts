import { EngineError } from "../engine/engine-error.js";

export interface StallGuardOptions {
  /** Longest time between two touches, ms. */
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Ends the sending of an image to an engine that has stopped taking it, or to us. */
export class StallGuard implements Disposable {
  /** Aborts when nothing has happened for too long, or with the caller's. */
  readonly signal: AbortSignal;
  readonly #stalled = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #stallTimeoutMs: number;

  constructor({ stallTimeoutMs, signal }: StallGuardOptions) {
    this.#stallTimeoutMs = stallTimeoutMs;
    this.#timer = setTimeout(() => this.#stalled.abort(), stallTimeoutMs);
    const { signal: stalled } = this.#stalled;
    this.signal = signal === undefined ? stalled : AbortSignal.any([stalled, signal]);
  }

  touch(): void {
    this.#timer.refresh();
  }

  /** @returns why the sending ended, for an error that it ended with */
  explain(error: unknown): unknown {
    if (!this.#stalled.signal.aborted) return error;
    return new EngineError({
      code: "ENGINE_STALLED",
      message: `the engine stopped in the middle of the image: nothing for ${this.#stallTimeoutMs} ms`,
      hint: "look whether the engine hangs, and whether its disk is slow",
      facts: { timeoutMs: this.#stallTimeoutMs },
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
