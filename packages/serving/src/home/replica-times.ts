import type { Clock } from "@clipper-serving/spec";
import type { Batch } from "./batch.js";

const NEW_SHARE = 0.2;
/** Each batch lets the slowest of late fade by this: after about a hundred it stands for the 99th percentile. */
const PEAK_FADE = 0.99;
const SUSPECT_AT_LEAST_MICROS = 1_000_000;
/** Replicas beat every second. */
const QUIET_AFTER_MICROS = 3_000_000;

/** How long one replica takes and when it was last heard of. */
export class ReplicaTimes {
  readonly #clock: Clock;
  #batchMicros: number | undefined;
  #overheadMicros = 0;
  #slowestMicros = 0;
  #beatMicros: number | undefined;
  #beatAgeMicros = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Inside the function, of late; undefined before the first batch. */
  get batchMicros(): number | undefined {
    return this.#batchMicros;
  }

  /** What a round trip takes beside the function. */
  get overheadMicros(): number {
    return this.#overheadMicros;
  }

  get suspectAfterMicros(): number {
    return Math.max(SUSPECT_AT_LEAST_MICROS, 3 * this.#slowestMicros);
  }

  add({ serviceMicros, startedIdle }: Batch, roundTripMicros: number): void {
    const known = this.#batchMicros ?? serviceMicros;
    this.#batchMicros = known + NEW_SHARE * (serviceMicros - known);
    this.#beatAgeMicros = 0;
    this.#slowestMicros = Math.max(roundTripMicros, this.#slowestMicros * PEAK_FADE);
    // One that waited behind another says nothing of the way there and back.
    if (!startedIdle) return;
    this.#overheadMicros += NEW_SHARE * (roundTripMicros - serviceMicros - this.#overheadMicros);
  }

  beat(ageMicros: number): void {
    this.#beatMicros = this.#clock.nowMicros();
    this.#beatAgeMicros = ageMicros;
  }

  /** How long it has been at its work, by its own word or by when it was sent. */
  workAgeMicros(nowMicros: number, sentMicros: number | undefined): number {
    const sinceSent = sentMicros === undefined ? 0 : nowMicros - sentMicros;
    // A beat from before the batch in hand tells of another.
    return this.#beatAgeMicros === 0 ? sinceSent : Math.max(sinceSent, this.#beatAgeMicros);
  }

  /** It used to beat and does not any more. One that never beat is not judged by it. */
  isHeartQuiet(nowMicros: number): boolean {
    return this.#beatMicros !== undefined && nowMicros - this.#beatMicros > QUIET_AFTER_MICROS;
  }
}
