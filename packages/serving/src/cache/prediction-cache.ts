import type { Outcome, Payload } from "@clipper-serving/spec";
import { isSamePayload, memoryBytes, withOwnMemory } from "./payloads.js";

interface Entry {
  readonly key: string;
  /** Whoever put it: an entry is only ever found by its owner. */
  readonly owner: object;
  readonly input: Payload;
  readonly outcome: Outcome;
  readonly bytes: number;
  wasUsed: boolean;
  newer: Entry | undefined;
  older: Entry | undefined;
}

/** Map slot, key string, entry and outcome objects. */
const ENTRY_OVERHEAD = 320;

/**
 * Right answers by input, bounded in bytes. What was asked for since the hand last passed is kept (SIEVE: one hand from the oldest to the
 * newest, entries never move), so that a hit writes one flag.
 */
export class PredictionCache {
  readonly limitBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #newest: Entry | undefined;
  #oldest: Entry | undefined;
  #hand: Entry | undefined;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @returns the kept outcome of this very input, its bytes compared, or undefined */
  get(key: string, owner: object, input: Payload): Outcome | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.owner !== owner || !isSamePayload(entry.input, input)) return undefined;
    entry.wasUsed = true;
    return entry.outcome;
  }

  /** Keeps an answer, in memory of its own. One larger than the whole cache is not kept. */
  put(key: string, owner: object, input: Payload, output: Payload): void {
    const bytes = ENTRY_OVERHEAD + memoryBytes(input) + memoryBytes(output);
    if (bytes > this.limitBytes) return;
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(known);
    while (this.#bytes + bytes > this.limitBytes) this.#evict();
    const entry: Entry = {
      key,
      owner,
      input: withOwnMemory(input),
      outcome: { ok: true, output: withOwnMemory(output), cached: true },
      bytes,
      wasUsed: false,
      newer: undefined,
      older: this.#newest,
    };
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
    this.#entries.set(key, entry);
    this.#bytes += bytes;
  }

  /** Forgets all that `owner` put. */
  removeOf(owner: object): void {
    for (const entry of this.#entries.values()) if (entry.owner === owner) this.#remove(entry);
  }

  #evict(): void {
    let at = this.#hand ?? this.#oldest;
    while (at?.wasUsed) {
      at.wasUsed = false;
      at = at.newer ?? this.#oldest;
    }
    if (at === undefined) return;
    this.#hand = at.newer;
    this.#remove(at);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#bytes -= entry.bytes;
    if (this.#hand === entry) this.#hand = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
  }
}
