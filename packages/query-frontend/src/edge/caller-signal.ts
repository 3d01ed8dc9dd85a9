type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };

/**
 * Says once that a caller has gone. What queries use of an `AbortSignal` and no more: they listen and stop listening by the ten thousand a second,
 * for which an `EventTarget` takes longer than parsing their input.
 */
export class CallerSignal {
  #aborted = false;
  readonly #listeners: Listener[] = [];

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#aborted ? new DOMException("the caller has gone", "AbortError") : undefined;
  }

  addEventListener(type: string, listener: Listener): void {
    if (type === "abort" && !this.#aborted) this.#listeners.push(listener);
  }

  removeEventListener(type: string, listener: Listener): void {
    const at = type === "abort" ? this.#listeners.lastIndexOf(listener) : -1;
    if (at < 0) return;
    const last = this.#listeners.pop() as Listener;
    if (at < this.#listeners.length) this.#listeners[at] = last;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.reason;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const event = new Event("abort");
    for (const listener of this.#listeners.splice(0)) {
      if (typeof listener === "function") listener(event);
      else listener.handleEvent(event);
    }
  }

  asAbortSignal(): AbortSignal {
    return this as unknown as AbortSignal;
  }
}
