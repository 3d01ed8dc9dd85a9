const WHITESPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Where a text stops being JSON, as a byte offset: what `JSON.parse` says differs between Node's versions and shows the caller's data.
 * Used only once `JSON.parse` has refused; the text must not nest deeper than the stack allows.
 */
export function syntaxErrorOffset(text: Buffer): number {
  const reader = new Reader(text);
  if (!reader.value()) return reader.at;
  reader.space();
  return reader.at;
}

class Reader {
  readonly #text: Buffer;
  at = 0;

  constructor(text: Buffer) {
    this.#text = text;
  }

  space(): void {
    while (WHITESPACE.has(this.#text[this.at] as number)) this.at += 1;
  }

  value(): boolean {
    this.space();
    switch (this.#text[this.at]) {
      case 0x7b:
        return this.#list(0x7d, () => this.#member());
      case 0x5b:
        return this.#list(0x5d, () => this.value());
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word("true");
      case 0x66:
        return this.#word("false");
      case 0x6e:
        return this.#word("null");
      default:
        return this.#number();
    }
  }

  #list(close: number, item: () => boolean): boolean {
    this.at += 1;
    this.space();
    if (this.#take(close)) return true;
    for (;;) {
      if (!item()) return false;
      this.space();
      if (this.#take(close)) return true;
      if (!this.#take(0x2c)) return false;
    }
  }

  #member(): boolean {
    this.space();
    if (this.#text[this.at] !== 0x22 || !this.#string()) return false;
    this.space();
    return this.#take(0x3a) && this.value();
  }

  #string(): boolean {
    this.at += 1;
    for (;;) {
      const byte = this.#text[this.at];
      if (byte === undefined || byte < 0x20) return false;
      if (byte === 0x22) {
        this.at += 1;
        return true;
      }
      if (byte === 0x5c && !this.#escape()) return false;
      if (byte !== 0x5c) this.at += 1;
    }
  }

  #escape(): boolean {
    const kind = this.#text[this.at + 1];
    if (kind === 0x75) {
      const digits = this.#text.toString("latin1", this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) return false;
      this.at += 6;
      return true;
    }
    if (kind === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(kind))) return false;
    this.at += 2;
    return true;
  }

  #word(word: string): boolean {
    for (const character of word) if (!this.#take(character.charCodeAt(0))) return false;
    return true;
  }

  #number(): boolean {
    this.#take(0x2d);
    if (!this.#take(0x30) && !this.#digits()) return false;
    if (this.#take(0x2e) && !this.#digits()) return false;
    if (this.#take(0x65) || this.#take(0x45)) {
      if (!this.#take(0x2b)) this.#take(0x2d);
      return this.#digits();
    }
    return true;
  }

  #digits(): boolean {
    const start = this.at;
    while (isDigit(this.#text[this.at])) this.at += 1;
    return this.at > start;
  }

  #take(byte: number): boolean {
    if (this.#text[this.at] !== byte) return false;
    this.at += 1;
    return true;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
