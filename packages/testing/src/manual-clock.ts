import type { Clock } from "@clipper-serving/spec";

interface Timer {
  readonly atMicros: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * A clock that stands still until it is told to move. One history of calls gives one order of callbacks: timers by time, those of one time in
 * the order they were set, and whatever was put off with `soon` before the next timer.
 */
export class ManualClock implements Clock {
  #nowMicros: number;
  #order = 0;
  #timers: Timer[] = [];
  #soon: (() => void)[] = [];

  /** @param startMicros where it stands at first. Default 1 s, so that 0 is in the past */
  constructor(startMicros = 1_000_000) {
    this.#nowMicros = startMicros;
  }

  nowMicros(): number {
    return this.#nowMicros;
  }

  after(delayMicros: number, callback: () => void): () => void {
    const atMicros = this.#nowMicros + Math.max(0, delayMicros);
    const timer: Timer = { atMicros, order: this.#order++, callback, cancelled: false };
    pushTimer(this.#timers, timer);
    return () => {
      timer.cancelled = true;
    };
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** Runs what was put off with `soon`, and what that puts off in turn. Time does not move. */
  flush(): void {
    for (let round = 0; this.#soon.length > 0; round++) {
      if (round === MOST_ROUNDS) throw new TypeError("callbacks of soon() put off new ones for ever");
      const due = this.#soon;
      this.#soon = [];
      for (const callback of due) callback();
    }
  }

  /** Moves time on, running every timer that falls due on the way at its own time. */
  advance(micros: number): void {
    const until = this.#nowMicros + micros;
    this.flush();
    while (this.#runNext(until)) this.flush();
    this.#nowMicros = until;
  }

  /** As {@link advance}, with all promises settled before each next timer. */
  async advanceAsync(micros: number): Promise<void> {
    const until = this.#nowMicros + micros;
    await this.settle();
    while (this.#runNext(until)) await this.settle();
    this.#nowMicros = until;
  }

  /** Runs `soon` callbacks and settles promises until neither is left. Time does not move. */
  async settle(): Promise<void> {
    do {
      this.flush();
      // A macrotask comes only after every microtask, however many those make.
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#soon.length > 0);
  }

  /** When the next timer falls due; undefined when none is set. */
  nextTimerMicros(): number | undefined {
    this.#dropCancelled();
    return this.#timers[0]?.atMicros;
  }

  #runNext(untilMicros: number): boolean {
    this.#dropCancelled();
    const next = this.#timers[0];
    if (next === undefined || next.atMicros > untilMicros) return false;
    popTimer(this.#timers);
    this.#nowMicros = next.atMicros;
    next.callback();
    return true;
  }

  #dropCancelled(): void {
    while (this.#timers[0]?.cancelled) popTimer(this.#timers);
  }
}

const MOST_ROUNDS = 100_000;

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMicros < b.atMicros || (a.atMicros === b.atMicros && a.order < b.order);
}

function pushTimer(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(timer, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = timer;
}

function popTimer(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
