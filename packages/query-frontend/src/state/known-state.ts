import {
  type OriginRecord,
  type StateChange,
  type StateCommit,
  type StateHead,
  type StateRecord,
  type StateSnapshot,
  succeedsHead,
} from "@clipper-serving/spec";

/**
 * Kinds without which no query can be served, and those without which a store that was lost could not be restored from what a frontend knows: a
 * frontend keeps no others.
 */
const KEPT_KINDS: ReadonlySet<string> = new Set(["application", "model", "version", "workload", "origin"]);
/** Kinds that a store of our own cannot have lost without somebody having deleted them, which would have been a commit. */
const NAMED_KINDS: ReadonlySet<string> = new Set(["application", "version"]);

/** `applied` · `known`: nothing new · `regressed`: the store has lost something; what was known is kept · `gap`: something between is missing */
export type Applied = "applied" | "known" | "regressed" | "gap";

/**
 * The last state that is known to be good. It never goes back: neither to an earlier revision, nor to a store made anew that has lost names, unless that
 * store says that it has taken the place of this state's.
 */
export class KnownState {
  #head: StateHead | undefined;
  #records = new Map<string, StateRecord>();

  get head(): StateHead | undefined {
    return this.#head;
  }

  snapshot(): StateSnapshot | undefined {
    return this.#head && { head: this.#head, records: [...this.#records.values()] };
  }

  records(): Iterable<StateRecord> {
    return this.#records.values();
  }

  applySnapshot({ head, records }: StateSnapshot): Applied {
    const served = new Map(
      records.filter(({ kind }) => KEPT_KINDS.has(kind)).map((record) => [keyOf(record), record]),
    );
    if (this.#head !== undefined) {
      if (isSame(this.#head, head)) return "known";
      if (this.#isRegression(this.#head, head, served)) return "regressed";
    }
    this.#head = head;
    this.#records = served;
    return "applied";
  }

  applyCommit({ head, changes }: StateCommit): Applied {
    if (this.#head === undefined || head.epoch !== this.#head.epoch) return "gap";
    if (head.revision <= this.#head.revision) return isSame(this.#head, head) ? "known" : "regressed";
    if (head.revision !== this.#head.revision + 1) return "gap";
    for (const change of changes) this.#change(change, head.revision);
    this.#head = head;
    return "applied";
  }

  #change({ kind, key, value }: StateChange, revision: number): void {
    if (!KEPT_KINDS.has(kind)) return;
    if (value === undefined) this.#records.delete(keyOf({ kind, key }));
    else this.#records.set(keyOf({ kind, key }), { kind, key, value, revision });
  }

  #isRegression(known: StateHead, found: StateHead, records: ReadonlyMap<string, StateRecord>): boolean {
    if (found.epoch === known.epoch) return found.revision <= known.revision;
    const origin = records.get(keyOf({ kind: "origin", key: "origin" }))?.value as OriginRecord | undefined;
    if (succeedsHead(origin, known)) return false;
    for (const [key, { kind }] of this.#records) if (NAMED_KINDS.has(kind) && !records.has(key)) return true;
    return false;
  }
}

function keyOf({ kind, key }: { kind: string; key: string }): string {
  return `${kind} ${key}`;
}

function isSame(known: StateHead, found: StateHead): boolean {
  return known.epoch === found.epoch && known.revision === found.revision && known.hash === found.hash;
}
