import type { BatchFloor, BatchObservation, BatchPolicy, Clock } from "@clipper-serving/spec";
import { FadingEstimate, WARM_UP_BATCHES } from "./fading-estimate.js";

export interface AimdOptions {
  readonly clock: Clock;
  /** The objective its batches are for, µs, as of now. */
  readonly sloMicros: () => number;
  /** What batches took when the version was tried before it went live: where the limit starts. Default: it starts at one. */
  readonly floor?: readonly BatchFloor[];
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
  readonly #floor: readonly BatchFloor[];
  /** Undefined until a batch has been observed: what the floor allows depends on the objective, which may change until then. */
  #limit: number | undefined;
  #isSlowStart = true;
  #batches = 0;

  constructor({ clock, sloMicros, floor = [], mostInputs = 4_096 }: AimdOptions) {
    this.#sloMicros = sloMicros;
    this.#mostInputs = mostInputs;
    this.#floor = floor;
    this.#estimate = new FadingEstimate(clock);
  }

  limit(): number {
    return Math.floor(this.#limit ?? this.#start());
  }

  observe({ batchSize, serviceMicros, saturated }: BatchObservation): void {
    if (++this.#batches <= WARM_UP_BATCHES) return;
    this.#estimate.add(batchSize, serviceMicros);
    if (serviceMicros > this.#budgetMicros()) this.#decrease();
    else if (saturated && batchSize >= this.limit()) this.#increase();
  }

  estimateMicros(size: number): number | undefined {
    return this.#estimate.estimateMicros(size);
  }

  /** The largest batch that was seen to fit; a model that takes long whatever the batch would never catch up from one. */
  #start(): number {
    const budget = this.#budgetMicros();
    const fitting = this.#floor
      .filter(({ p99Micros }) => p99Micros <= budget)
      .map(({ batchSize }) => batchSize);
    return Math.min(this.#mostInputs, Math.max(1, ...fitting));
  }

  #budgetMicros(): number {
    return this.#sloMicros() * BUDGET_SHARE;
  }

  #increase(): void {
    const limit = this.#limit ?? this.#start();
    this.#limit = Math.min(this.#mostInputs, this.#isSlowStart ? limit * 2 : limit + 1);
  }

  #decrease(): void {
    // The last doubling was one too many.
    const factor = this.#isSlowStart ? 0.5 : DECREASE;
    this.#isSlowStart = false;
    this.#limit = Math.max(1, (this.#limit ?? this.#start()) * factor);
  }
}
