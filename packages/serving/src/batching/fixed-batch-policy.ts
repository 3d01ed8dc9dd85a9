import type { BatchObservation, BatchPolicy, Clock } from "@clipper-serving/spec";
import { FadingEstimate, WARM_UP_BATCHES } from "./fading-estimate.js";

/** Always the size the version was deployed with. */
export class FixedBatchPolicy implements BatchPolicy {
  readonly name = "fixed";
  readonly #size: number;
  readonly #estimate: FadingEstimate;
  #batches = 0;

  constructor({ clock, batchSize }: { clock: Clock; batchSize: number }) {
    this.#size = Math.max(1, Math.floor(batchSize));
    this.#estimate = new FadingEstimate(clock);
  }

  limit(): number {
    return this.#size;
  }

  observe({ batchSize, serviceMicros }: BatchObservation): void {
    if (++this.#batches > WARM_UP_BATCHES) this.#estimate.add(batchSize, serviceMicros);
  }

  estimateMicros(size: number): number | undefined {
    return this.#estimate.estimateMicros(size);
  }
}
