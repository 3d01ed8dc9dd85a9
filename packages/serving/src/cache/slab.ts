/** Bytes of one unit: everything in a slab begins at a multiple of it, and places are counted in it. */
export const UNIT_BYTES = 8;

/** One piece of memory, seen as each kind of number that is kept in it. */
export class Slab {
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Int32Array;
  readonly doubles: Float64Array;

  constructor(units: number) {
    const buffer = new ArrayBuffer(units * UNIT_BYTES);
    this.bytes = new Uint8Array(buffer);
    this.halves = new Uint16Array(buffer);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** The two may overlap. */
  move(from: number, to: number, units: number): void {
    this.doubles.copyWithin(to, from, from + units);
  }
}

/** @returns how many units so many bytes take */
export function unitsFor(bytes: number): number {
  return Math.ceil(bytes / UNIT_BYTES);
}
