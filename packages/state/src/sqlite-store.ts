import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import {
  type CallOptions,
  HeadMismatchError,
  InvalidArgumentError,
  type StateChange,
  type StateCommit,
  type StateHead,
  type StateSnapshot,
  type StateStore,
  StoreRegressedError,
} from "@clipper-serving/spec";
import { commitsAfter } from "./commits-after.js";
import { plainChanges } from "./encoded-changes.js";
import { isSameHead, nextHead } from "./head.js";
import { prepareSchema } from "./sqlite-schema.js";
import { SqliteTables } from "./sqlite-tables.js";
import { isBusy, type StoreProblem, storeClosed, storeError } from "./store-errors.js";
import { type HistoryOptions, resolveHistoryCommits } from "./store-options.js";

export interface SqliteStoreOptions extends HistoryOptions {
  /** The file; made when absent, its directory is not. On a disk of this machine: network file systems break SQLite's locks. */
  readonly path: string;
  /** How long to wait for another process to finish its commit, ms. Default 5,000. */
  readonly busyTimeoutMs?: number;
  /** Largest the file may grow. Default 1 GiB; at least 64 KiB. */
  readonly maxBytes?: number;
}

/** A state store in one file. */
export interface SqliteStore extends StateStore {
  /** Records that were found damaged, as of the last `read`. */
  problems(): readonly StoreProblem[];
}

/**
 * Opens the store at `path`, made when absent.
 * @throws StoreSchemaError, StoreForeignError: the file is another's, and was not touched
 * @throws StoreUnavailableError
 */
export async function openSqliteStore(
  options: SqliteStoreOptions,
  call: CallOptions = {},
): Promise<SqliteStore> {
  const store = new FileStore({
    busyTimeoutMs: 5_000,
    maxBytes: 1_073_741_824,
    ...options,
    historyCommits: resolveHistoryCommits(options),
  });
  try {
    await store.open(call);
    return store;
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Within one turn: the calls are synchronous, and holding the loop up for longer would stall everything else. */
const BLOCKING_WAIT_MS = 20;
const RETRY_EVERY_MS = 10;

class FileStore implements SqliteStore {
  readonly name = "sqlite";
  readonly #options: Required<SqliteStoreOptions>;
  #database: DatabaseSync | undefined;
  #tables: SqliteTables | undefined;
  #file = "";
  #problems: readonly StoreProblem[] = [];

  constructor(options: Required<SqliteStoreOptions>) {
    const { maxBytes } = options;
    if (!Number.isInteger(maxBytes) || maxBytes < 65_536) {
      throw new InvalidArgumentError({
        argument: "maxBytes",
        value: maxBytes,
        expected: "a whole number of 65,536 or more",
      });
    }
    this.#options = options;
  }

  async open(call: CallOptions): Promise<void> {
    const { path, maxBytes } = this.#options;
    await this.#untilFree("open", call, () => {
      this.#database ??= new DatabaseSync(path, { timeout: BLOCKING_WAIT_MS });
      const database = this.#database;
      // Before anything is written: a file that is not ours keeps its journal mode.
      inTransaction(database, "IMMEDIATE", () => prepareSchema(database, path));
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
      const { page_size: pageSize } = database.prepare("PRAGMA page_size").get() as { page_size: number };
      database.exec(`PRAGMA max_page_count = ${Math.floor(maxBytes / pageSize)}`);
      this.#tables = new SqliteTables(database, path);
      this.#file = fileAt(path);
    });
  }

  problems(): readonly StoreProblem[] {
    return this.#problems;
  }

  read(options: CallOptions = {}): Promise<StateSnapshot> {
    return this.#run("read", "DEFERRED", options, (tables) => {
      const { records, problems } = tables.readRecords();
      this.#problems = problems;
      return { head: tables.readHead(), records };
    });
  }

  async commit(
    expected: StateHead,
    changes: readonly StateChange[],
    options: CallOptions = {},
  ): Promise<StateHead> {
    const plain = plainChanges(changes);
    return this.#run("commit", "IMMEDIATE", options, (tables) => {
      const actual = tables.readHead();
      if (!isSameHead(expected, actual)) throw new HeadMismatchError({ expected, actual });
      const head = nextHead(actual, plain);
      for (const change of plain) tables.writeRecord(change, head.revision);
      tables.appendCommit(head, plain, this.#options.historyCommits);
      return head;
    });
  }

  since(head: StateHead, options: CallOptions = {}): Promise<readonly StateCommit[] | "resync"> {
    return this.#run("tell what changed", "DEFERRED", options, (tables) =>
      commitsAfter(head, tables.readHead(), (revision) => tables.readCommit(revision)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tables = undefined;
    this.#database?.close();
    this.#database = undefined;
  }

  #run<Result>(
    operation: string,
    mode: "IMMEDIATE" | "DEFERRED",
    options: CallOptions,
    work: (tables: SqliteTables) => Result,
  ): Promise<Result> {
    return this.#untilFree(operation, options, () => {
      const [database, tables] = [this.#database, this.#tables];
      if (database === undefined || tables === undefined) throw storeClosed(this.name, operation);
      return inTransaction(database, mode, () => {
        // SQLite goes on writing to a file that was removed: nobody would ever read what it acknowledged.
        if (fileAt(this.#options.path) !== this.#file) {
          throw new StoreRegressedError({ store: this.name, known: tables.readHead(), found: null });
        }
        return work(tables);
      });
    });
  }

  /** Calls `work`, which is one transaction, until no other process's lock is in its way. */
  async #untilFree<Result>(operation: string, { signal }: CallOptions, work: () => Result): Promise<Result> {
    const deadline = performance.now() + this.#options.busyTimeoutMs;
    for (;;) {
      signal?.throwIfAborted();
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) throw storeError(operation, error);
      }
      await delay(RETRY_EVERY_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
        // The signal's own reason is thrown above.
      });
    }
  }
}

/** @returns what tells the file at `path` from every other, or "" when there is none */
function fileAt(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.dev}:${stats.ino}`;
}

function inTransaction<Result>(
  database: DatabaseSync,
  mode: "IMMEDIATE" | "DEFERRED",
  work: () => Result,
): Result {
  database.exec(`BEGIN ${mode}`);
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // Some failures end the transaction by themselves; rolling back again would hide them behind another error.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
