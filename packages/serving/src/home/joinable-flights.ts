import type { Payload } from "@clipper-serving/spec";
import type { InputKey } from "../cache/input-key.js";
import { isSamePayload } from "../cache/payloads.js";
import type { Flight } from "./flight.js";

/** A power of two. */
const BUCKETS = 4_096;

/** Flights under way, queued or sent, that an equal input may join. Chained through the flights themselves, so that coming and going allocate nothing. */
export class JoinableFlights {
  readonly #buckets = new Array<Flight | undefined>(BUCKETS).fill(undefined);

  find(key: InputKey, input: Payload): Flight | undefined {
    let flight = this.#buckets[bucketOf(key)];
    while (flight !== undefined && !(flight.key.equals(key) && isSamePayload(flight.input, input))) {
      flight = flight.nextJoinable;
    }
    return flight;
  }

  add(flight: Flight): void {
    const bucket = bucketOf(flight.key);
    flight.nextJoinable = this.#buckets[bucket];
    this.#buckets[bucket] = flight;
  }

  /** Takes a flight out; one that is not in stays out. */
  remove(flight: Flight): void {
    const bucket = bucketOf(flight.key);
    let before: Flight | undefined;
    let at = this.#buckets[bucket];
    while (at !== undefined && at !== flight) {
      before = at;
      at = at.nextJoinable;
    }
    if (at === undefined) return;
    if (before === undefined) this.#buckets[bucket] = flight.nextJoinable;
    else before.nextJoinable = flight.nextJoinable;
    flight.nextJoinable = undefined;
  }
}

function bucketOf(key: InputKey): number {
  return key.a & (BUCKETS - 1);
}
