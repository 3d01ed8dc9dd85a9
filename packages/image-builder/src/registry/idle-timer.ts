/** Aborts its signal when nothing has happened for a while. */
export class IdleTimer implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.#timer = setTimeout(() => this.#controller.abort(), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  progress(): void {
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
