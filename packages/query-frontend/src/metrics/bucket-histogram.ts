/** A histogram that costs a few comparisons to fill; made into Prometheus' form only when it is read. */
export class BucketHistogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds upper ends of the buckets, ascending; one above them all is added */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

  /** Cumulative, as Prometheus wants them. @param scale what a value is multiplied by to be shown */
  read(scale: number): { buckets: { le: string; count: number }[]; sum: number; count: number } {
    let count = 0;
    const buckets = [...this.#counts].map((inBucket, index) => {
      count += inBucket;
      const bound = this.#bounds[index];
      return { le: bound === undefined ? "+Inf" : String(bound * scale), count };
    });
    return { buckets, sum: this.#sum * scale, count };
  }
}
