import type { Outcome, Payload } from "@clipper-serving/spec";
import { ENTRY_STATE, EntryTable, entryUnits } from "./entry-table.js";
import type { InputKey } from "./input-key.js";
import { Ring } from "./ring.js";
import { UNIT_BYTES } from "./slab.js";

/** What the places of entries are counted in has 31 bits. */
const MOST_BYTES = 2 ** 31 * UNIT_BYTES;
/** What of the limit there is one chain for, about an entry's size, bytes. */
const BYTES_PER_BUCKET = 256;
const BUCKET_BYTES = 4;
/** Used entries that one put moves out of its way before it drops even those: no query waits for a whole cache to be moved. */
const MOST_MOVED = 32;

/**
 * Right answers by input, bounded in bytes, index included. Entries are bytes in one piece of memory, which the garbage collector never
 * looks into: as objects, those of a busy cache live just long enough to be moved by it again and again.
 *
 * The oldest gives way to the newest, except that one asked for since it was put becomes the newest itself, once for each time round.
 */
export class PredictionCache {
  readonly limitBytes: number;
  readonly #ring: Ring;
  readonly #buckets: number;
  #entries: EntryTable | undefined;
  #owners = 0;
  #size = 0;
  #units = 0;

  /** @param limitBytes at most 16 GiB of it are used */
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
    const usable = Math.min(limitBytes, MOST_BYTES);
    this.#buckets = 2 ** Math.floor(Math.log2(Math.max(1, usable / BYTES_PER_BUCKET)));
    this.#ring = new Ring(Math.max(0, Math.floor((usable - this.#buckets * BUCKET_BYTES) / UNIT_BYTES)));
  }

  /** Of its entries, without what separates them. */
  get bytes(): number {
    return this.#units * UNIT_BYTES;
  }

  get size(): number {
    return this.#size;
  }

  /** A number for somebody who puts entries: an entry is only ever found by its owner. */
  newOwner(): number {
    this.#owners += 1;
    return this.#owners;
  }

  /** @returns the kept outcome of this very input, its bytes compared, or undefined */
  get(key: InputKey, owner: number, input: Payload): Outcome | undefined {
    const place = this.#entries?.find(key, owner, input);
    if (this.#entries === undefined || place === undefined) return undefined;
    this.#entries.setState(place, ENTRY_STATE.used);
    return { ok: true, output: this.#entries.output(place), cached: true };
  }

  /** Keeps a copy of an answer. One larger than the whole cache is not kept. */
  put(key: InputKey, owner: number, input: Payload, output: Payload): void {
    const units = entryUnits(input, output);
    if (units > this.#ring.capacity) return;
    // Memory is taken when there is something to keep.
    this.#entries ??= new EntryTable(this.#ring.capacity, this.#buckets);
    const known = this.#entries.find(key, owner, input);
    if (known !== undefined) this.#remove(this.#entries, known);
    const place = this.#makeRoom(this.#entries, units);
    this.#entries.write(place, key, owner, input, output);
    this.#size += 1;
    this.#units += units;
  }

  /** Forgets all that `owner` put. */
  removeOf(owner: number): void {
    const entries = this.#entries;
    if (entries === undefined) return;
    for (const place of this.#ring.places((at) => entries.units(at))) {
      if (entries.owner(place) === owner && entries.state(place) !== ENTRY_STATE.removed) {
        this.#remove(entries, place);
      }
    }
    if (this.#size === 0) this.#ring.clear();
  }

  #makeRoom(entries: EntryTable, units: number): number {
    let place = this.#ring.take(units);
    for (let moved = 0; place === undefined; place = this.#ring.take(units)) {
      const oldest = this.#ring.oldest;
      const state = entries.state(oldest);
      if (state === ENTRY_STATE.used && moved < MOST_MOVED) {
        moved += 1;
        this.#makeNewest(entries, oldest);
        continue;
      }
      if (state !== ENTRY_STATE.removed) this.#remove(entries, oldest);
      this.#ring.drop(entries.units(oldest));
    }
    return place;
  }

  #makeNewest(entries: EntryTable, oldest: number): void {
    const units = entries.units(oldest);
    entries.unlink(oldest);
    entries.setState(oldest, ENTRY_STATE.unused);
    this.#ring.drop(units);
    // There always is a place: at least where it was.
    entries.move(oldest, this.#ring.take(units) as number);
  }

  /** Its place is given back when it is the oldest. */
  #remove(entries: EntryTable, place: number): void {
    entries.unlink(place);
    entries.setState(place, ENTRY_STATE.removed);
    this.#size -= 1;
    this.#units -= entries.units(place);
  }
}
