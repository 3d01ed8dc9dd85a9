type NumberArray = Float64Array | Float32Array | Int32Array;

/** Room for some hundred small inputs. */
const CHUNK_BYTES = 64 * 1024;
/** Above this an input has memory of its own. */
const SMALL_BYTES = CHUNK_BYTES / 16;
const ALIGNMENT = 8;

/**
 * Where the numbers of inputs are put: small inputs one behind the other in a common piece, because memory of its own for each costs more than
 * reading it. A piece lives as long as the last of its inputs, so what is kept for longer than a query is copied.
 */
export class NumberMemory {
  #chunk = new ArrayBuffer(CHUNK_BYTES);
  #used = 0;

  /** @returns room for so many numbers, holding anything */
  take<Values extends NumberArray>(
    Values: {
      readonly BYTES_PER_ELEMENT: number;
      new (length: number): Values;
      new (buffer: ArrayBuffer, byteOffset: number, length: number): Values;
    },
    length: number,
  ): Values {
    const bytes = length * Values.BYTES_PER_ELEMENT;
    if (bytes > SMALL_BYTES) return new Values(length);
    if (this.#used + bytes > CHUNK_BYTES) {
      this.#chunk = new ArrayBuffer(CHUNK_BYTES);
      this.#used = 0;
    }
    const values = new Values(this.#chunk, this.#used, length);
    this.#used += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return values;
  }
}
