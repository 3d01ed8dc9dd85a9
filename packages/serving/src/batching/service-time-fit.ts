/** How much of the past each new measurement leaves. */
const MEMORY = 0.9;

/**
 * Service time as a + c·n, by least squares over the latest batches. It only ever decides what cannot come in time, so it leans to the optimistic side: no
 * allowance for spread, and nothing said before there is a measurement.
 */
export class ServiceTimeFit {
  #weight = 0;
  #n = 0;
  #t = 0;
  #nn = 0;
  #nt = 0;

  add(batchSize: number, serviceMicros: number): void {
    this.#weight = this.#weight * MEMORY + 1;
    this.#n = this.#n * MEMORY + batchSize;
    this.#t = this.#t * MEMORY + serviceMicros;
    this.#nn = this.#nn * MEMORY + batchSize * batchSize;
    this.#nt = this.#nt * MEMORY + batchSize * serviceMicros;
  }

  /** @returns µs for a batch of `size`; undefined before the first measurement */
  estimateMicros(size: number): number | undefined {
    if (this.#weight === 0) return undefined;
    const meanSize = this.#n / this.#weight;
    const meanMicros = this.#t / this.#weight;
    const variance = this.#nn / this.#weight - meanSize * meanSize;
    // Batches of one size tell nothing of the slope; then time is taken to be proportional.
    if (variance < 0.01) return (meanMicros * size) / meanSize;
    const slope = Math.max(0, (this.#nt / this.#weight - meanSize * meanMicros) / variance);
    const base = meanMicros - slope * meanSize;
    return base < 0 ? (meanMicros * size) / meanSize : base + slope * size;
  }
}
