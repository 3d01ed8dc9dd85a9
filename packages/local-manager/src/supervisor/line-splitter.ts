const NEWLINE = 0x0a;
/** A longer line is kept as several, so that a program that never ends its line cannot fill the memory. */
const LONGEST_LINE_BYTES = 64 * 1024;

/** Cuts a stream of bytes into lines. A character that comes in two pieces stays whole. */
export class LineSplitter {
  readonly #onLines: (lines: readonly Uint8Array[]) => void;
  #pending: Buffer = Buffer.alloc(0);

  /** @param onLines given the lines that end in a chunk, at once: one by one, a program that writes much would hold up everything */
  constructor(onLines: (lines: readonly Uint8Array[]) => void) {
    this.#onLines = onLines;
  }

  push(chunk: Buffer): void {
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const lines: Uint8Array[] = [];
    for (;;) {
      const end = rest.indexOf(NEWLINE);
      if (end >= 0 && end <= LONGEST_LINE_BYTES) {
        lines.push(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
      } else if (rest.length > LONGEST_LINE_BYTES) {
        const cut = characterBoundary(rest, LONGEST_LINE_BYTES);
        lines.push(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      } else {
        break;
      }
    }
    if (lines.length > 0) this.#onLines(lines);
    this.#pending = Buffer.from(rest);
  }

  /** Gives what was written without a newline. */
  end(): void {
    if (this.#pending.length > 0) this.#onLines([this.#pending]);
    this.#pending = Buffer.alloc(0);
  }
}

/** @returns the last place at or before `at` where no UTF-8 character is cut */
function characterBoundary(bytes: Buffer, at: number): number {
  for (let place = at; place > at - 4; place -= 1) {
    if ((bytes[place]! & 0b1100_0000) !== 0b1000_0000) return place;
  }
  return at;
}
