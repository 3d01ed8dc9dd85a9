import type { ByteSource } from "./byte-source.js";
import { malformed } from "./malformed.js";
import { decodeText } from "./text.js";
import { TAG, TAGS } from "./wire-format.js";

const FIELD_HEAD_BYTES = 4;
const ABSENT = -1;

/** A set of tags that a frame's type, or an item of it, lists. */
export type ListedTags = Uint8Array;

export function listTags(...tags: readonly number[]): ListedTags {
  const listed = new Uint8Array(TAGS);
  for (const tag of tags) listed[tag] = 1;
  return listed;
}

/** Where a header's fields are. One table is used for one header after another, so that reading fields allocates nothing. */
export class FieldTable {
  readonly #starts = new Int32Array(TAGS);
  readonly #lengths = new Int32Array(TAGS);
  #addresses: string[] = [];
  #source: ByteSource | undefined;

  /** Finds the listed fields between `start` and `end`. @throws ProtocolError when they do not fit, or one comes twice */
  scan(source: ByteSource, start: number, end: number, listed: ListedTags): void {
    this.#source = source;
    this.#starts.fill(ABSENT);
    this.#addresses = [];
    let offset = start;
    while (offset < end) {
      if (end - offset < FIELD_HEAD_BYTES) throw malformed("a header ends within a field");
      const tag = source.u16(offset);
      const length = source.u16(offset + 2);
      offset += FIELD_HEAD_BYTES;
      if (length > end - offset) throw malformed(`field ${tag} ends after its header`, { tag, length });
      if (tag < TAGS && listed[tag] === 1) this.#remember(source, tag, offset, length);
      offset += length;
    }
  }

  #remember(source: ByteSource, tag: number, start: number, length: number): void {
    if (tag === TAG.address) {
      this.#addresses.push(decodeText(source.bytes, start, start + length, "an address"));
      return;
    }
    if (this.#starts[tag] !== ABSENT) throw malformed(`field ${tag} comes twice`, { tag });
    this.#starts[tag] = start;
    this.#lengths[tag] = length;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  u8(tag: number, name: string): number {
    return this.#sourceFor(tag, name, 1).bytes[this.#starts[tag]!]!;
  }

  u16(tag: number, name: string): number {
    return this.#sourceFor(tag, name, 2).u16(this.#starts[tag]!);
  }

  u32(tag: number, name: string): number {
    return this.#sourceFor(tag, name, 4).u32(this.#starts[tag]!);
  }

  /** @returns 0 when the field is absent */
  optionalU32(tag: number, name: string): number {
    return this.#starts[tag] === ABSENT ? 0 : this.u32(tag, name);
  }

  u64(tag: number, name: string): number {
    return this.#sourceFor(tag, name, 8).u64(this.#starts[tag]!, name);
  }

  /** @returns bytes of their own */
  bytes(tag: number, name: string, length: number): Uint8Array {
    const start = this.#starts[tag]!;
    return this.#sourceFor(tag, name, length).bytes.slice(start, start + length);
  }

  text(tag: number, name: string, minBytes: number, maxBytes: number): string {
    const start = this.#starts[tag]!;
    if (start === ABSENT) throw malformed(`${name} is missing`);
    const length = this.#lengths[tag]!;
    if (length < minBytes || length > maxBytes) {
      throw malformed(`${name} has ${length} bytes, not ${minBytes} to ${maxBytes}`, { length });
    }
    return decodeText(this.#source!.bytes, start, start + length, name);
  }

  /** @returns "" when the field is absent */
  optionalText(tag: number, name: string, maxBytes: number): string {
    return this.#starts[tag] === ABSENT ? "" : this.text(tag, name, 0, maxBytes);
  }

  #sourceFor(tag: number, name: string, width: number): ByteSource {
    if (this.#starts[tag] === ABSENT) throw malformed(`${name} is missing`);
    if (this.#lengths[tag] !== width) {
      throw malformed(`${name} has ${this.#lengths[tag]} bytes, not ${width}`, {
        length: this.#lengths[tag],
      });
    }
    return this.#source!;
  }
}
