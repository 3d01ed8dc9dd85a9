import type { Payload } from "@clipper-serving/spec";
import type { InputKey } from "./input-key.js";
import { isPayloadAt, payloadUnits, readPayload, writePayload } from "./payload-in-slab.js";
import { Slab } from "./slab.js";

/** Places of an entry's words. */
const UNITS = 0;
/** The next entry of the same bucket: its place and 1; 0 is none. */
const NEXT = 1;
const OWNER = 2;
const STATE = 3;
const KEY = 4;
const INPUT_PARTS = 8;
const OUTPUT_PARTS = 9;
/** From the entry's beginning, units. */
const OUTPUT_AT = 10;
const HEAD_UNITS = 6;
const WORDS_PER_UNIT = 2;

export const ENTRY_STATE = {
  /** Its place is not given back yet. */
  removed: 0,
  unused: 1,
  used: 2,
} as const;

/** Units an entry takes. */
export function entryUnits(input: Payload, output: Payload): number {
  return HEAD_UNITS + payloadUnits(input) + payloadUnits(output);
}

/** Entries as they lie in a slab, and the chains by which they are found. An entry is known by the place where it begins; who hands out places is another. */
export class EntryTable {
  readonly #slab: Slab;
  readonly #words: Int32Array;
  /** The first entry of each chain: its place and 1. */
  readonly #buckets: Int32Array;
  readonly #mask: number;

  /** @param buckets a power of two */
  constructor(units: number, buckets: number) {
    this.#slab = new Slab(units);
    this.#words = this.#slab.words;
    this.#buckets = new Int32Array(buckets);
    this.#mask = buckets - 1;
  }

  units(place: number): number {
    return this.#words[place * WORDS_PER_UNIT + UNITS]!;
  }

  owner(place: number): number {
    return this.#words[place * WORDS_PER_UNIT + OWNER]!;
  }

  state(place: number): number {
    return this.#words[place * WORDS_PER_UNIT + STATE]!;
  }

  setState(place: number, state: number): void {
    this.#words[place * WORDS_PER_UNIT + STATE] = state;
  }

  output(place: number): Payload {
    const word = place * WORDS_PER_UNIT;
    return readPayload(this.#slab, place + this.#words[word + OUTPUT_AT]!, this.#words[word + OUTPUT_PARTS]!);
  }

  /** @returns the entry of this key, owner and input, or undefined */
  find(key: InputKey, owner: number, input: Payload): number | undefined {
    const words = this.#words;
    for (let next = this.#buckets[key.a & this.#mask]!; next !== 0; ) {
      const place = next - 1;
      const word = place * WORDS_PER_UNIT;
      if (
        words[word + KEY] === key.a &&
        words[word + KEY + 1] === key.b &&
        words[word + KEY + 2] === key.c &&
        words[word + KEY + 3] === key.d &&
        words[word + OWNER] === owner &&
        isPayloadAt(this.#slab, place + HEAD_UNITS, words[word + INPUT_PARTS]!, input)
      ) {
        return place;
      }
      next = words[word + NEXT]!;
    }
    return undefined;
  }

  write(place: number, key: InputKey, owner: number, input: Payload, output: Payload): void {
    const words = this.#words;
    const word = place * WORDS_PER_UNIT;
    const outputPlace = writePayload(this.#slab, place + HEAD_UNITS, input);
    const end = writePayload(this.#slab, outputPlace, output);
    words[word + UNITS] = end - place;
    words[word + OWNER] = owner;
    words[word + STATE] = ENTRY_STATE.unused;
    words[word + KEY] = key.a;
    words[word + KEY + 1] = key.b;
    words[word + KEY + 2] = key.c;
    words[word + KEY + 3] = key.d;
    words[word + INPUT_PARTS] = input.parts.length;
    words[word + OUTPUT_PARTS] = output.parts.length;
    words[word + OUTPUT_AT] = outputPlace - place;
    this.#link(place);
  }

  /** From now on it is not found. */
  unlink(place: number): void {
    const words = this.#words;
    const word = place * WORDS_PER_UNIT;
    const bucket = words[word + KEY]! & this.#mask;
    const after = words[word + NEXT]!;
    let at = this.#buckets[bucket]!;
    if (at === place + 1) {
      this.#buckets[bucket] = after;
      return;
    }
    for (;;) {
      const next = (at - 1) * WORDS_PER_UNIT + NEXT;
      at = words[next]!;
      if (at === place + 1) {
        words[next] = after;
        return;
      }
    }
  }

  /** Puts an unlinked entry to another place, which may overlap its own. */
  move(from: number, to: number): void {
    this.#slab.move(from, to, this.units(from));
    this.#link(to);
  }

  #link(place: number): void {
    const word = place * WORDS_PER_UNIT;
    const bucket = this.#words[word + KEY]! & this.#mask;
    this.#words[word + NEXT] = this.#buckets[bucket]!;
    this.#buckets[bucket] = place + 1;
  }
}
