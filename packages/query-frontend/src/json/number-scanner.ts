/** Powers of ten that a double holds exactly. */
const POWERS = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
  1e20, 1e21, 1e22,
] as const;
/** Digits that a double holds exactly, whatever they are. */
const MAX_DIGITS = 15;
const MAX_POWER = 22;
/** Numbers of one array; a longer one is left to `JSON.parse`. */
const CAPACITY = 65_536;

const INPUT = Buffer.from('"input"');
const INPUT_BATCH = Buffer.from('"input_batch"');

/** Numbers of each input, in a body that is nothing but `{"input":[…]}` or `{"input_batch":[[…],…]}`. */
export interface ScannedNumbers {
  readonly isBatch: boolean;
  readonly inputs: readonly Float64Array[];
}

/**
 * Reads the commonest bodies without building a JavaScript array first.
 *
 * It understands only numbers of at most 15 digits and small exponents, which one exact multiplication or division turns into the nearest double
 * (Clinger's fast path); at anything else it gives up, and the body is parsed in full. So it never decides that a body is wrong,
 * and where it answers, `JSON.parse` would have answered the same.
 */
export class NumberScanner {
  readonly #numbers = new Float64Array(CAPACITY);
  #body: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @returns undefined for a body it does not understand */
  scan(body: Buffer, maxBatch: number): ScannedNumbers | undefined {
    this.#body = body;
    this.#at = 0;
    const found = this.#whole(maxBatch);
    this.#body = Buffer.alloc(0);
    return found;
  }

  #whole(maxBatch: number): ScannedNumbers | undefined {
    if (!this.#take(0x7b)) return undefined;
    this.#space();
    const isBatch = !this.#word(INPUT);
    if (isBatch && !this.#word(INPUT_BATCH)) return undefined;
    if (!this.#take(0x3a)) return undefined;
    const inputs = isBatch ? this.#batch(maxBatch) : this.#input();
    if (inputs === undefined || !this.#take(0x7d)) return undefined;
    this.#space();
    return this.#at === this.#body.length ? { isBatch, inputs } : undefined;
  }

  #input(): Float64Array[] | undefined {
    const numbers = this.#array();
    return numbers && [numbers];
  }

  #batch(maxBatch: number): Float64Array[] | undefined {
    if (!this.#take(0x5b)) return undefined;
    const inputs: Float64Array[] = [];
    do {
      const numbers = this.#array();
      if (numbers === undefined || inputs.length === maxBatch) return undefined;
      inputs.push(numbers);
    } while (this.#take(0x2c));
    return this.#take(0x5d) ? inputs : undefined;
  }

  /** Numbers between brackets; at least one. */
  #array(): Float64Array | undefined {
    if (!this.#take(0x5b)) return undefined;
    const numbers = this.#numbers;
    let count = 0;
    do {
      const number = this.#number();
      if (number === undefined || count === CAPACITY) return undefined;
      numbers[count] = number;
      count += 1;
    } while (this.#take(0x2c));
    return this.#take(0x5d) ? numbers.slice(0, count) : undefined;
  }

  #number(): number | undefined {
    const body = this.#body;
    this.#space();
    let at = this.#at;
    const negative = body[at] === 0x2d;
    if (negative) at += 1;
    const start = at;
    let mantissa = 0;
    let byte = body[at] as number;
    while (byte >= 0x30 && byte <= 0x39) {
      mantissa = mantissa * 10 + (byte - 0x30);
      at += 1;
      byte = body[at] as number;
    }
    let digits = at - start;
    if (digits === 0 || (digits > 1 && body[start] === 0x30)) return undefined;
    let power = 0;
    if (byte === 0x2e) {
      at += 1;
      const point = at;
      byte = body[at] as number;
      while (byte >= 0x30 && byte <= 0x39) {
        mantissa = mantissa * 10 + (byte - 0x30);
        at += 1;
        byte = body[at] as number;
      }
      power = point - at;
      if (power === 0) return undefined;
      digits -= power;
    }
    if (digits > MAX_DIGITS) return undefined;
    if (byte === 0x65 || byte === 0x45) {
      at += 1;
      byte = body[at] as number;
      const down = byte === 0x2d;
      if (down || byte === 0x2b) {
        at += 1;
        byte = body[at] as number;
      }
      const begin = at;
      let exponent = 0;
      while (byte >= 0x30 && byte <= 0x39 && at - begin < 4) {
        exponent = exponent * 10 + (byte - 0x30);
        at += 1;
        byte = body[at] as number;
      }
      if (at === begin || (byte >= 0x30 && byte <= 0x39)) return undefined;
      power += down ? -exponent : exponent;
    }
    if (power > MAX_POWER || power < -MAX_POWER) return undefined;
    this.#at = at;
    const value =
      power === 0
        ? mantissa
        : power > 0
          ? mantissa * (POWERS[power] as number)
          : mantissa / (POWERS[-power] as number);
    return negative ? -value : value;
  }

  #space(): void {
    const body = this.#body;
    for (;;) {
      const byte = body[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at += 1;
    }
  }

  #take(byte: number): boolean {
    if (this.#body[this.#at] !== byte) {
      this.#space();
      if (this.#body[this.#at] !== byte) return false;
    }
    this.#at += 1;
    return true;
  }

  #word(word: Buffer): boolean {
    for (let index = 0; index < word.length; index += 1) {
      if (this.#body[this.#at + index] !== word[index]) return false;
    }
    this.#at += word.length;
    return true;
  }
}
