import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  canonicalJson,
  type StateChange,
  type StateHead,
  type StateRecord,
  StoreUnavailableError,
} from "@clipper-serving/spec";
import type { KeptCommit } from "./commits-after.js";
import { sha256 } from "./head.js";
import { parseJson, problemOf, provenHistory, recordInHistory } from "./proven-history.js";
import { RecordCorruptError, type StoreProblem } from "./store-errors.js";

interface RecordRow {
  readonly kind: string;
  readonly key: string;
  readonly value: string;
  readonly revision: number;
  readonly checksum: string;
}

/** Reads and writes the tables, within whatever transaction its caller has begun; knows a damaged record from a whole one. */
export class SqliteTables {
  readonly #path: string;
  readonly #head: StatementSync;
  readonly #records: StatementSync;
  readonly #record: StatementSync;
  readonly #putRecord: StatementSync;
  readonly #removeRecord: StatementSync;
  readonly #commit: StatementSync;
  readonly #oldestCommit: StatementSync;
  readonly #putCommit: StatementSync;
  readonly #pruneCommits: StatementSync;
  readonly #moveHead: StatementSync;

  constructor(database: DatabaseSync, path: string) {
    this.#path = path;
    this.#head = database.prepare("SELECT epoch, revision, hash FROM head WHERE id = 1");
    this.#records = database.prepare("SELECT kind, key, value, revision, checksum FROM records");
    this.#record = database.prepare(
      "SELECT kind, key, value, revision, checksum FROM records WHERE kind = ? AND key = ?",
    );
    this.#putRecord = database.prepare(
      "INSERT OR REPLACE INTO records (kind, key, value, revision, checksum) VALUES (?, ?, ?, ?, ?)",
    );
    this.#removeRecord = database.prepare("DELETE FROM records WHERE kind = ? AND key = ?");
    this.#commit = database.prepare("SELECT hash, changes FROM commits WHERE revision = ?");
    this.#oldestCommit = database.prepare("SELECT revision, hash FROM commits ORDER BY revision LIMIT 1");
    this.#putCommit = database.prepare("INSERT INTO commits (revision, hash, changes) VALUES (?, ?, ?)");
    this.#pruneCommits = database.prepare("DELETE FROM commits WHERE revision < ?");
    this.#moveHead = database.prepare("UPDATE head SET revision = ?, hash = ? WHERE id = 1");
  }

  readHead(): StateHead {
    const row = this.#head.get() as StateHead | undefined;
    if (row !== undefined) return { epoch: row.epoch, revision: row.revision, hash: row.hash };
    throw new StoreUnavailableError({
      store: "sqlite",
      operation: "find its head",
      hint: "the file is damaged: restore it from a copy",
    });
  }

  readRecords(): { readonly records: readonly StateRecord[]; readonly problems: readonly StoreProblem[] } {
    const problems: StoreProblem[] = [];
    const records = (this.#records.all() as unknown as readonly RecordRow[]).flatMap((row) => {
      const whole = intact(row);
      if (whole !== undefined) return [whole];
      const recovered = this.#findInHistory(row);
      problems.push(problemOf(row, recovered !== undefined));
      return recovered === undefined ? [] : [recovered];
    });
    return { records, problems };
  }

  /** @throws RecordCorruptError rather than write over what can neither be read nor found in the history */
  writeRecord({ kind, key, value }: StateChange, revision: number): void {
    const row = this.#record.get(kind, key) as RecordRow | undefined;
    if (row !== undefined && intact(row) === undefined && this.#findInHistory(row) === undefined) {
      throw new RecordCorruptError({ path: this.#path, kind, key });
    }
    if (value === undefined) {
      this.#removeRecord.run(kind, key);
      return;
    }
    const text = canonicalJson(value);
    this.#putRecord.run(kind, key, text, revision, checksumOf({ kind, key, value: text, revision }));
  }

  readCommit(revision: number): KeptCommit | undefined {
    const row = this.#commit.get(revision) as { hash: string; changes: string } | undefined;
    const changes = row === undefined ? undefined : parseJson(row.changes);
    return row === undefined || !Array.isArray(changes)
      ? undefined
      : { hash: row.hash, changes: changes as readonly StateChange[] };
  }

  appendCommit(head: StateHead, changes: readonly StateChange[], historyCommits: number): void {
    this.#putCommit.run(head.revision, head.hash, JSON.stringify(changes));
    // One more than is told of: its hash proves where the history begins.
    this.#pruneCommits.run(head.revision - historyCommits);
    this.#moveHead.run(head.revision, head.hash);
  }

  /** A damaged row stays as it is until its record is committed anew. */
  #findInHistory(row: RecordRow): StateRecord | undefined {
    const oldest = this.#oldestCommit.get() as { revision: number; hash: string } | undefined;
    const history = provenHistory(this.readHead(), oldest, (revision) => this.readCommit(revision));
    return recordInHistory(history, row);
  }
}

function intact(row: RecordRow): StateRecord | undefined {
  if (row.checksum !== checksumOf(row)) return undefined;
  return { kind: row.kind, key: row.key, value: parseJson(row.value), revision: row.revision };
}

function checksumOf({ kind, key, value, revision }: Omit<RecordRow, "checksum">): string {
  return sha256(JSON.stringify([kind, key, revision, value]));
}
