import type { LogLine } from "@clipper-serving/spec";

const MOST_WAITING = 1_000;

/** Brings lines of many readers to one taker, who holds them back when he is slow. */
export class LineQueue {
  readonly #signal: AbortSignal;
  readonly #lines: LogLine[] = [];
  #error: { readonly cause: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  async put(line: LogLine): Promise<void> {
    this.#lines.push(line);
    this.#wake();
    while (this.#lines.length > MOST_WAITING && !this.#signal.aborted) await this.#changed.promise;
  }

  /** The taker is told, after the lines that came before. */
  fail(cause: unknown): void {
    this.#error ??= { cause };
    this.#wake();
  }

  /** Ends when the signal aborts, without an error. */
  async *take(): AsyncGenerator<LogLine> {
    while (!this.#signal.aborted) {
      const line = this.#lines.shift();
      if (line !== undefined) {
        yield line;
        if (this.#lines.length === MOST_WAITING) this.#wake();
      } else if (this.#error !== undefined) {
        throw this.#error.cause;
      } else {
        await this.#changed.promise;
      }
    }
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}
