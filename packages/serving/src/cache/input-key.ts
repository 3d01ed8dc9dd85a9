/** 128 bits that stand for an input. They may be another's too: whoever finds something under a key compares the input. */
export class InputKey {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;

  /** Four signed 32-bit integers, each bit of them as good as any other. */
  constructor(a: number, b: number, c: number, d: number) {
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }

  equals(other: InputKey): boolean {
    return this.a === other.a && this.b === other.b && this.c === other.c && this.d === other.d;
  }

  /** For maps off the path of a query. Short: a string over 16,383 characters would be hashed by its length alone in V8. */
  toString(): string {
    const { a, b, c, d } = this;
    return String.fromCharCode(
      a & 0xffff,
      a >>> 16,
      b & 0xffff,
      b >>> 16,
      c & 0xffff,
      c >>> 16,
      d & 0xffff,
      d >>> 16,
    );
  }
}
