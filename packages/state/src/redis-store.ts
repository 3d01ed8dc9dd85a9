import { randomBytes } from "node:crypto";
import {
  type CallOptions,
  HeadMismatchError,
  InvalidArgumentError,
  type StateChange,
  type StateCommit,
  type StateHead,
  type StateRecord,
  type StateSnapshot,
  type StateStore,
  StoreRegressedError,
  StoreUnavailableError,
} from "@clipper-serving/spec";
import { commitsAfter } from "./commits-after.js";
import { plainChanges } from "./encoded-changes.js";
import { firstHead, nextHead } from "./head.js";
import { problemOf, provenHistory, recordInHistory } from "./proven-history.js";
import { parseRedisUrl } from "./redis-address.js";
import { RedisConnection, type RedisReply, type RunScript } from "./redis-connection.js";
import {
  decodeCommits,
  decodeHead,
  decodeName,
  decodeRecord,
  encodeCommit,
  encodeHead,
  encodeName,
  encodeRecord,
  REDIS_SCHEMA_VERSION,
} from "./redis-encoding.js";
import { COMMIT_SCRIPT, DESTROY_SCRIPT, OPEN_SCRIPT, READ_SCRIPT, SINCE_SCRIPT } from "./redis-scripts.js";
import {
  RecordCorruptError,
  StoreForeignError,
  type StoreProblem,
  StoreSchemaError,
} from "./store-errors.js";
import { type HistoryOptions, resolveHistoryCommits } from "./store-options.js";

export interface RedisStoreOptions extends HistoryOptions {
  /** `redis://[USER@]HOST[:PORT][/DATABASE]`, `rediss:` for TLS. One server, not a Redis Cluster. */
  readonly url: string;
  /** Instead of one in the address. */
  readonly password?: string;
  /** What all keys begin with: one for each cluster. Default `clipper:`. */
  readonly prefix?: string;
  /** How long a call may take, the connecting included, ms. Default 2,000. */
  readonly commandTimeoutMs?: number;
}

/** A state store in a Redis server, for several management frontends. */
export interface RedisStore extends StateStore {
  /** Records that were found damaged, as of the last `read`. */
  problems(): readonly StoreProblem[];
}

/**
 * Opens the store, made when there is none under the prefix.
 * @throws StoreSettingsError: Redis would lose what it acknowledges. StoreSchemaError, StoreForeignError: the keys are another's, and were not touched
 * @throws StoreUnavailableError, InvalidArgumentError
 */
export async function openRedisStore(
  options: RedisStoreOptions,
  call: CallOptions = {},
): Promise<RedisStore> {
  const store = new ServerStore(options);
  try {
    await store.open(call);
    return store;
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

class ServerStore implements RedisStore {
  readonly name = "redis";
  readonly #connection: RedisConnection;
  readonly #place: string;
  readonly #keys: readonly string[];
  readonly #historyCommits: number;
  #known: StateHead | undefined;
  #problems: readonly StoreProblem[] = [];

  constructor(options: RedisStoreOptions) {
    const { url, password, prefix = "clipper:", commandTimeoutMs = 2_000 } = options;
    if (!Number.isInteger(commandTimeoutMs) || commandTimeoutMs < 1 || commandTimeoutMs >= 2 ** 31) {
      throw new InvalidArgumentError({
        argument: "commandTimeoutMs",
        value: commandTimeoutMs,
        expected: "whole milliseconds, 1 to 2,147,483,647",
      });
    }
    const address = { ...parseRedisUrl(url), ...(password === undefined ? {} : { password }) };
    this.#connection = new RedisConnection({ address, commandTimeoutMs });
    this.#place = `redis ${address.place}, keys ${prefix}*`;
    this.#keys = ["head", "records", "commits"].map((name) => prefix + name);
    this.#historyCommits = resolveHistoryCommits(options);
  }

  open(call: CallOptions): Promise<void> {
    const anew = encodeHead(firstHead(randomBytes(16).toString("hex")));
    return this.#connection.run("open", call, async (run) => {
      const text = await run(OPEN_SCRIPT, this.#keys, [anew]);
      // Its head was lost, or it never was a store of ours.
      if (text === null) throw new StoreForeignError({ path: this.#place });
      this.#headIn(text);
    });
  }

  problems(): readonly StoreProblem[] {
    return this.#problems;
  }

  read(options: CallOptions = {}): Promise<StateSnapshot> {
    return this.#connection.run("read", options, (run) => this.#read(run));
  }

  async commit(
    expected: StateHead,
    changes: readonly StateChange[],
    options: CallOptions = {},
  ): Promise<StateHead> {
    const plain = plainChanges(changes);
    const head = nextHead(expected, plain);
    const fixed = [encodeHead(expected), encodeHead(head), encodeCommit(head, plain), this.#keptCommits];
    const records = plain.flatMap((change) => {
      const name = encodeName(change);
      return [name, change.value === undefined ? "" : encodeRecord(name, change.value, head.revision)];
    });
    return this.#connection.run("commit", options, async (run) => {
      const attempt = async (mode: "check" | "overwrite") =>
        (await run(COMMIT_SCRIPT, this.#keys, [...fixed, mode, ...records])) as [string, RedisReply];
      let [outcome, found] = await attempt("check");
      if (outcome === "damaged") {
        await this.#checkRecoverable(run, found as readonly string[]);
        [outcome, found] = await attempt("overwrite");
      }
      if (outcome === "head") throw new HeadMismatchError({ expected, actual: this.#headIn(found) });
      this.#known = head;
      return head;
    });
  }

  since(head: StateHead, options: CallOptions = {}): Promise<readonly StateCommit[] | "resync"> {
    return this.#connection.run("tell what changed", options, async (run) => {
      const [text, texts] = (await run(SINCE_SCRIPT, this.#keys, [
        encodeHead(head),
        String(head.revision),
      ])) as [RedisReply, readonly string[]];
      if (text === null) return "resync";
      const commits = decodeCommits(texts);
      return commitsAfter(head, this.#headIn(text), (revision) => commits.get(revision));
    });
  }

  async destroy(options: CallOptions = {}): Promise<void> {
    await this.#connection.run("remove everything", options, (run) => run(DESTROY_SCRIPT, this.#keys, []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
  }

  /** One more than is told of: its hash proves where the history begins. */
  get #keptCommits(): string {
    return String(this.#historyCommits + 1);
  }

  async #read(run: RunScript): Promise<StateSnapshot> {
    const snapshot = this.#decode(await run(READ_SCRIPT, this.#keys, ["records"]));
    // Rare: what was damaged is looked for in the history, read together with the records it belongs to.
    return this.#problems.length === 0
      ? snapshot
      : this.#decode(await run(READ_SCRIPT, this.#keys, ["history"]));
  }

  #decode(reply: RedisReply): StateSnapshot {
    const [text, pairs, texts] = reply as [RedisReply, readonly string[], readonly string[]];
    const head = this.#headIn(text);
    const commits = decodeCommits(texts);
    const [oldest] = Array.from(commits, ([revision, { hash }]) => ({ revision, hash }));
    const history = provenHistory(head, oldest, (revision) => commits.get(revision));
    const problems: StoreProblem[] = [];
    const records: StateRecord[] = [];
    for (let at = 0; at < pairs.length; at += 2) {
      const [name = "", value = ""] = [pairs[at], pairs[at + 1]];
      const whole = decodeRecord(name, value);
      const record = whole ?? recordInHistory(history, decodeName(name));
      if (record !== undefined) records.push(record);
      if (whole === undefined) problems.push(problemOf(decodeName(name), record !== undefined));
    }
    this.#problems = problems;
    return { head, records };
  }

  /** @throws RecordCorruptError rather than let what can neither be read nor found in the history be written over */
  async #checkRecoverable(run: RunScript, damaged: readonly string[]): Promise<void> {
    await this.#read(run);
    const lost = this.#problems.find(
      (problem) => !problem.recovered && damaged.includes(encodeName(problem)),
    );
    if (lost !== undefined) {
      throw new RecordCorruptError({ path: this.#place, kind: lost.kind, key: lost.key });
    }
  }

  /** @throws StoreRegressedError when there is none any more: the store is never made anew below those who know it */
  #headIn(text: RedisReply): StateHead {
    if (typeof text !== "string") {
      throw new StoreRegressedError({ store: this.name, known: this.#known, found: null });
    }
    const decoded = decodeHead(text);
    switch (decoded.kind) {
      case "head":
        this.#known = decoded.head;
        return decoded.head;
      case "newer":
        throw new StoreSchemaError({
          path: this.#place,
          found: decoded.version,
          supported: REDIS_SCHEMA_VERSION,
        });
      case "foreign":
        throw new StoreForeignError({ path: this.#place });
      case "damaged":
        throw new StoreUnavailableError({
          store: this.name,
          operation: "find its head",
          hint: "what Redis keeps is damaged: restore it from a copy",
        });
    }
  }
}
