import type { AttemptOutcome, Outcome, Payload, Task } from "@clipper-serving/spec";
import type { InputKey } from "../cache/input-key.js";
import type { Batch } from "./batch.js";

/** One task waiting for a flight's outcome. */
export class Waiter {
  readonly deadlineMicros: number;
  readonly signal: AbortSignal | undefined;
  readonly promise: Promise<Outcome>;
  next: Waiter | undefined;
  readonly #flight: Flight;
  #resolve!: (outcome: Outcome) => void;

  constructor(task: Task, flight: Flight) {
    this.deadlineMicros = task.deadlineMicros;
    this.#flight = flight;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.signal = task.signal;
    this.signal?.addEventListener("abort", this);
  }

  /** The signal's listener is this object, so that it costs no closure. */
  handleEvent(): void {
    this.#flight.owner.abandon(this.#flight, this);
  }

  settle(outcome: Outcome): void {
    this.signal?.removeEventListener("abort", this);
    this.#resolve(outcome);
    this.#flight.owner.taskDone(outcome);
  }
}

/** Whoever keeps flights, and is told of what becomes of them. */
export interface FlightOwner {
  /** A replica told its outcome. */
  finish(flight: Flight, outcome: AttemptOutcome): void;
  /** The replica that had it is gone. @param isBlamed it may have been the cause: its batch was in hand */
  lose(flight: Flight, isBlamed: boolean): void;
  /** The waiter's caller has gone. */
  abandon(flight: Flight, waiter: Waiter): void;
  taskDone(outcome: Outcome): void;
}

/**
 * One input on its way to a model version, and every task that waits for it: equal inputs under way share one flight. Its tasks differ in how long they can wait, so
 * it is as urgent as the most urgent of them and worth trying while there is time for the most patient.
 */
export class Flight {
  readonly owner: FlightOwner;
  readonly key: InputKey;
  readonly input: Payload;
  readonly bytes: number;
  readonly requestId: string | undefined;
  readonly trace: string | undefined;
  /** The earliest of its waiters' deadlines. */
  deadlineMicros = Number.POSITIVE_INFINITY;
  /** The latest of its waiters' deadlines. */
  patienceMicros = Number.NEGATIVE_INFINITY;
  /** When it last joined the queue. */
  queuedMicros = 0;
  /** Where it is in the queue's heap; −1 outside. */
  heapIndex = -1;
  /** Times it came back from a replica without an outcome. */
  retries = 0;
  /** A replica died of it, maybe: it is tried by itself, so that it can hurt no other. */
  isSuspicious = false;
  /** Another under way, of a like key. */
  nextJoinable: Flight | undefined;
  /** While a replica has it. */
  batch: Batch | undefined;
  attemptId = -1;
  #waiters: Waiter | undefined;

  constructor(options: { owner: FlightOwner; task: Task; key: InputKey; bytes: number }) {
    const { owner, task, key, bytes } = options;
    this.owner = owner;
    this.key = key;
    this.input = task.input;
    this.bytes = bytes;
    this.requestId = task.requestId;
    this.trace = task.trace;
  }

  get hasWaiters(): boolean {
    return this.#waiters !== undefined;
  }

  add(waiter: Waiter): void {
    waiter.next = this.#waiters;
    this.#waiters = waiter;
    this.#note(waiter);
  }

  remove(waiter: Waiter): void {
    let rest = this.#takeAll();
    while (rest !== undefined) {
      const next: Waiter | undefined = rest.next;
      if (rest !== waiter) this.add(rest);
      rest = next;
    }
  }

  settle(outcome: Outcome): void {
    this.settleBefore(Number.POSITIVE_INFINITY, outcome);
  }

  /** Settles those of its tasks whose deadline is before `micros`. */
  settleBefore(micros: number, outcome: Outcome): void {
    let rest = this.#takeAll();
    while (rest !== undefined) {
      const next: Waiter | undefined = rest.next;
      if (rest.deadlineMicros < micros) rest.settle(outcome);
      else this.add(rest);
      rest = next;
    }
  }

  #takeAll(): Waiter | undefined {
    const first = this.#waiters;
    this.#waiters = undefined;
    this.deadlineMicros = Number.POSITIVE_INFINITY;
    this.patienceMicros = Number.NEGATIVE_INFINITY;
    return first;
  }

  #note({ deadlineMicros }: Waiter): void {
    if (deadlineMicros < this.deadlineMicros) this.deadlineMicros = deadlineMicros;
    if (deadlineMicros > this.patienceMicros) this.patienceMicros = deadlineMicros;
  }
}
