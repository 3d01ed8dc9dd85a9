import type { BatchObservation, BatchPolicy, Clock } from "@clipper-serving/spec";
import { FadingEstimate, WARM_UP_BATCHES } from "./fading-estimate.js";

export interface AimdOptions {
  readonly clock: Clock;
  /** The objective its batches are for, µs, as of now. */
  readonly sloMicros: () => number;
  /** Default 4,096. */
  readonly mostInputs?: number;
}

/** A batch may take this share of the objective: the rest is for waiting behind the batch before. */
const BUDGET_SHARE = 0.5;
const DECREASE = 0.9;

/**
 * Additive increase, multiplicative decrease on the objective's budget, after a slow start that doubles. It never looks at how little time the waiting
 * tasks have left: a late head asking for a small batch makes the next head later still.
 *
 * @see Crankshaw et al., "Clipper", NSDI 2017, §4.3
 */
export class AimdBatchPolicy implements BatchPolicy {
  readonly name = "aimd";
  readonly #sloMicros: () => number;
  readonly #mostInputs: number;
  readonly #estimate: FadingEstimate;
  #limit = 1;
  #isSlowStart = true;
  #batches = 0;

  constructor({ clock, sloMicros, mostInputs = 4_096 }: AimdOptions) {
    this.#sloMicros = sloMicros;
    this.#mostInputs = mostInputs;
    this.#estimate = new FadingEstimate(clock);
  }

  limit(): number {
    return Math.floor(this.#limit);
  }

  observe({ batchSize, serviceMicros, saturated }: BatchObservation): void {
    if (++this.#batches <= WARM_UP_BATCHES) return;
    this.#estimate.add(batchSize, serviceMicros);
    if (serviceMicros > this.#sloMicros() * BUDGET_SHARE) this.#decrease();
    else if (saturated && batchSize >= this.limit()) this.#increase();
  }

  estimateMicros(size: number): number | undefined {
    return this.#estimate.estimateMicros(size);
  }

  #increase(): void {
    const next = this.#isSlowStart ? this.#limit * 2 : this.#limit + 1;
    this.#limit = Math.min(this.#mostInputs, next);
  }

  #decrease(): void {
    // The last doubling was one too many.
    const factor = this.#isSlowStart ? 0.5 : DECREASE;
    this.#isSlowStart = false;
    this.#limit = Math.max(1, this.#limit * factor);
  }
}
