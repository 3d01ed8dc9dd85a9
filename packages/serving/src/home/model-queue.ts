import type { Flight } from "./flight.js";

export interface ModelQueueOptions {
  readonly limitBytes: number;
  /** Default 100,000. */
  readonly limitFlights?: number;
}

/** What one waiting input takes beside its bytes, about. */
const FLIGHT_OVERHEAD = 640;

/** Flights waiting for one model version, the earliest deadline first; of one deadline, in any order. A binary heap that knows where each flight is. */
export class ModelQueue {
  readonly limitBytes: number;
  readonly #limitFlights: number;
  readonly #heap: Flight[] = [];
  #bytes = 0;

  constructor({ limitBytes, limitFlights = 100_000 }: ModelQueueOptions) {
    this.limitBytes = limitBytes;
    this.#limitFlights = limitFlights;
  }

  get length(): number {
    return this.#heap.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): Flight | undefined {
    return this.#heap[0];
  }

  hasRoomFor(bytes: number): boolean {
    return this.#heap.length < this.#limitFlights && this.#bytes + bytes + FLIGHT_OVERHEAD <= this.limitBytes;
  }

  push(flight: Flight): void {
    this.#bytes += flight.bytes + FLIGHT_OVERHEAD;
    this.#heap.push(flight);
    this.#rise(flight, this.#heap.length - 1);
  }

  /** Takes a flight out, wherever it stands. */
  remove(flight: Flight): void {
    const at = flight.heapIndex;
    flight.heapIndex = -1;
    this.#bytes -= flight.bytes + FLIGHT_OVERHEAD;
    const last = this.#heap.pop()!;
    if (last === flight) return;
    this.#sink(last, at);
    if (last.heapIndex === at) this.#rise(last, at);
  }

  /** Puts a flight where its changed deadline belongs. */
  moved(flight: Flight): void {
    const at = flight.heapIndex;
    this.#rise(flight, at);
    if (flight.heapIndex === at) this.#sink(flight, at);
  }

  /** Each waiting flight, in no order. */
  [Symbol.iterator](): Iterator<Flight> {
    return this.#heap[Symbol.iterator]();
  }

  #rise(flight: Flight, from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt]!;
      if (parent.deadlineMicros <= flight.deadlineMicros) break;
      heap[at] = parent;
      parent.heapIndex = at;
      at = parentAt;
    }
    heap[at] = flight;
    flight.heapIndex = at;
  }

  #sink(flight: Flight, from: number): void {
    const heap = this.#heap;
    const { length } = heap;
    let at = from;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= length) break;
      if (childAt + 1 < length && heap[childAt + 1]!.deadlineMicros < heap[childAt]!.deadlineMicros) {
        childAt++;
      }
      const child = heap[childAt]!;
      if (child.deadlineMicros >= flight.deadlineMicros) break;
      heap[at] = child;
      child.heapIndex = at;
      at = childAt;
    }
    heap[at] = flight;
    flight.heapIndex = at;
  }
}
