import type { Clock } from "@clipper-serving/spec";

const WINDOW_MICROS = 10_000_000;
/** Clipper's default objective, until there was a task. */
const DEFAULT_SLO_MICROS = 3_000_000;

/** The shortest objective among the tasks of the last ten to twenty seconds. */
export class RecentSlo {
  readonly #clock: Clock;
  #windowEndMicros = 0;
  #shortest = Number.POSITIVE_INFINITY;
  #before = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(sloMicros: number, nowMicros: number): void {
    if (nowMicros >= this.#windowEndMicros) this.#turn(nowMicros);
    if (sloMicros < this.#shortest) this.#shortest = sloMicros;
  }

  micros(): number {
    const nowMicros = this.#clock.nowMicros();
    if (nowMicros >= this.#windowEndMicros) this.#turn(nowMicros);
    const shortest = Math.min(this.#shortest, this.#before);
    return Number.isFinite(shortest) ? shortest : DEFAULT_SLO_MICROS;
  }

  #turn(nowMicros: number): void {
    this.#before =
      nowMicros - this.#windowEndMicros > WINDOW_MICROS ? Number.POSITIVE_INFINITY : this.#shortest;
    this.#shortest = Number.POSITIVE_INFINITY;
    this.#windowEndMicros = nowMicros + WINDOW_MICROS;
  }
}
