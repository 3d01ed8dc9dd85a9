/** Places in a ring of memory, handed out one behind the other and given back oldest first. Each place lies in one piece. */
export class Ring {
  readonly capacity: number;
  #oldest = 0;
  /** Where the next place begins. */
  #end = 0;
  /** Once the newest are again at the front: where the older ones, at the back, end. */
  #backEnd: number | undefined;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Where the oldest place begins; only while there is one. */
  get oldest(): number {
    return this.#oldest;
  }

  /** @returns where so much begins, or undefined: then the oldest has to go first */
  take(units: number): number | undefined {
    let place = this.#end;
    if (place + units > (this.#backEnd === undefined ? this.capacity : this.#oldest)) {
      if (this.#backEnd !== undefined || units > this.#oldest) return undefined;
      this.#backEnd = place;
      place = 0;
    }
    this.#end = place + units;
    return place;
  }

  /** Gives back the oldest place, which has so many units. */
  drop(units: number): void {
    this.#oldest += units;
    if (this.#oldest === this.#backEnd) {
      this.#oldest = 0;
      this.#backEnd = undefined;
    }
    if (this.#backEnd === undefined && this.#oldest === this.#end) this.clear();
  }

  clear(): void {
    this.#oldest = 0;
    this.#end = 0;
    this.#backEnd = undefined;
  }

  /** Where each place begins, oldest first. @param unitsOf how many units the place that begins there has */
  *places(unitsOf: (place: number) => number): Iterable<number> {
    const back = this.#backEnd;
    let place = this.#oldest;
    if (back !== undefined) {
      for (; place < back; place += unitsOf(place)) yield place;
      place = 0;
    }
    for (; place < this.#end; place += unitsOf(place)) yield place;
  }
}
