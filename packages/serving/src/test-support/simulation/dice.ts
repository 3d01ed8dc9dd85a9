/** Chance from a seed (mulberry32): one seed, one sequence. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** In [0, 1). */
  readonly roll = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  happens(chance: number): boolean {
    return this.roll() < chance;
  }

  between(low: number, high: number): number {
    return low + this.roll() * (high - low);
  }

  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.roll() * values.length)]!;
  }

  /** Time to the next of events that come `perSecond` on average, µs. */
  untilNext(perSecond: number): number {
    return (-Math.log(1 - this.roll()) / perSecond) * 1e6;
  }

  fork(): Dice {
    return new Dice(Math.floor(this.roll() * 2 ** 32));
  }
}
