import type { BatchResult } from "@clipper-serving/spec";
import type { Flight } from "./flight.js";
import type { Replica } from "./replica.js";

/** Inputs a replica was sent together. The attempts' ids are consecutive, so that an answer's item is found by subtraction. */
export class Batch {
  readonly replica: Replica;
  readonly firstId: number;
  readonly size: number;
  readonly sentMicros: number;
  /** Whether more was waiting than it could hold. */
  readonly isSaturated: boolean;
  /** The replica had nothing else to do. */
  readonly startedIdle: boolean;
  /** Nothing may be sent behind it. */
  readonly isAlone: boolean;
  readonly #flights: (Flight | undefined)[];
  #left: number;
  #queueMicros = 0;
  #serviceMicros = 0;

  constructor(options: {
    replica: Replica;
    firstId: number;
    flights: Flight[];
    sentMicros: number;
    isSaturated: boolean;
    startedIdle: boolean;
  }) {
    this.replica = options.replica;
    this.firstId = options.firstId;
    this.sentMicros = options.sentMicros;
    this.isSaturated = options.isSaturated;
    this.startedIdle = options.startedIdle;
    this.#flights = options.flights;
    this.size = options.flights.length;
    this.#left = this.size;
    this.isAlone = options.flights[0]!.isSuspicious;
  }

  get isAnswered(): boolean {
    return this.#left === 0;
  }

  get itemsLeft(): number {
    return this.#left;
  }

  get queueMicros(): number {
    return this.#queueMicros;
  }

  /** Inside the function, over all its calls. */
  get serviceMicros(): number {
    return this.#serviceMicros;
  }

  /** @returns the flight whose outcome is `id`'s, once; undefined when it is not of this batch or was told before */
  take(id: number): Flight | undefined {
    const flight = this.#flights[id - this.firstId];
    if (flight === undefined) return undefined;
    this.#flights[id - this.firstId] = undefined;
    this.#left--;
    flight.batch = undefined;
    return flight;
  }

  /** Takes the times of a result whose outcomes were of this batch. */
  note({ queueMicros, serviceMicros, batchSize, outcomes }: BatchResult, roundTripMicros: number): void {
    // What a replica says of itself is believed as far as it can be true.
    const service = Math.min(Math.max(serviceMicros, 0), roundTripMicros);
    const isOwnCall = outcomes.length >= batchSize;
    this.#serviceMicros = isOwnCall
      ? Math.min(this.#serviceMicros + service, roundTripMicros)
      : Math.max(this.#serviceMicros, service);
    this.#queueMicros = Math.max(this.#queueMicros, Math.min(queueMicros, roundTripMicros));
  }

  /** Takes what was never answered. */
  takeUnanswered(): Flight[] {
    const flights: Flight[] = [];
    for (let index = 0; index < this.#flights.length; index++) {
      const flight = this.take(this.firstId + index);
      if (flight !== undefined) flights.push(flight);
    }
    return flights;
  }
}
