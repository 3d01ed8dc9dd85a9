import type { Clock } from "@clipper-serving/spec";
import { ServiceTimeFit } from "./service-time-fit.js";

/** The first batches of a process pay for imports and page faults: nothing is learnt from them. */
export const WARM_UP_BATCHES = 2;
/** An estimate this old, µs, halves; and again. */
const HALF_LIFE_MICROS = 2_000_000;
const FORGOTTEN_AFTER = 5;

/**
 * A fit that grows more hopeful while nothing is measured and is forgotten in the end. What was learnt in bad times would otherwise shed every task,
 * and with no batch sent nothing better could ever be learnt.
 */
export class FadingEstimate {
  readonly #clock: Clock;
  #fit = new ServiceTimeFit();
  #lastMicros = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(batchSize: number, serviceMicros: number): void {
    const nowMicros = this.#clock.nowMicros();
    if (this.#halfLives(nowMicros) > FORGOTTEN_AFTER) this.#fit = new ServiceTimeFit();
    this.#lastMicros = nowMicros;
    this.#fit.add(batchSize, serviceMicros);
  }

  estimateMicros(size: number): number | undefined {
    const halfLives = this.#halfLives(this.#clock.nowMicros());
    if (halfLives > FORGOTTEN_AFTER) return undefined;
    const estimate = this.#fit.estimateMicros(size);
    // A pause shorter than a half-life is the ordinary distance between two batches.
    return estimate === undefined || halfLives < 1 ? estimate : estimate * 0.5 ** (halfLives - 1);
  }

  #halfLives(nowMicros: number): number {
    return (nowMicros - this.#lastMicros) / HALF_LIFE_MICROS;
  }
}
