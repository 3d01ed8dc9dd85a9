import type { Clock } from "@clipper-serving/spec";

/** For each thing that failed: when it may be tried again. The delay doubles from failure to failure. */
export class RetryLater {
  readonly #clock: Clock;
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #failures = new Map<string, { readonly count: number; readonly dueMicros: number }>();

  constructor(options: { readonly clock: Clock; readonly firstMs: number; readonly maxMs: number }) {
    this.#clock = options.clock;
    this.#firstMs = options.firstMs;
    this.#maxMs = options.maxMs;
  }

  /** @returns in how many ms it may be tried again */
  failed(key: string): number {
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const delayMs = Math.min(this.#maxMs, this.#firstMs * 2 ** (count - 1));
    this.#failures.set(key, { count, dueMicros: this.#clock.nowMicros() + delayMs * 1_000 });
    return delayMs;
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** Forgets what there is nothing left to do for. */
  forgetAllBut(keys: ReadonlySet<string>): void {
    for (const key of this.#failures.keys()) if (!keys.has(key)) this.#failures.delete(key);
  }

  isDue(key: string): boolean {
    return (this.#failures.get(key)?.dueMicros ?? 0) <= this.#clock.nowMicros();
  }
}
