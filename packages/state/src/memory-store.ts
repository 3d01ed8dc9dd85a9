import { randomBytes } from "node:crypto";
import {
  type CallOptions,
  HeadMismatchError,
  type StateChange,
  type StateCommit,
  type StateHead,
  type StateRecord,
  type StateSnapshot,
  type StateStore,
  StoreUnavailableError,
} from "@clipper-serving/spec";
import { commitsAfter, type KeptCommit } from "./commits-after.js";
import { plainChanges } from "./encoded-changes.js";
import { firstHead, isSameHead, nextHead } from "./head.js";
import { type HistoryOptions, resolveHistoryCommits } from "./store-options.js";

/** A store that lives and ends with this process: for tests, and clusters nobody will miss. */
export function createMemoryStore(options: HistoryOptions = {}): StateStore {
  return new MemoryStore(resolveHistoryCommits(options));
}

class MemoryStore implements StateStore {
  readonly name = "memory";
  readonly #historyCommits: number;
  readonly #records = new Map<string, StateRecord>();
  readonly #commits = new Map<number, KeptCommit>();
  #head: StateHead = firstHead(randomBytes(16).toString("hex"));
  #isClosed = false;

  constructor(historyCommits: number) {
    this.#historyCommits = historyCommits;
  }

  async read(options?: CallOptions): Promise<StateSnapshot> {
    this.#enter("read", options);
    return structuredClone({ head: this.#head, records: [...this.#records.values()] });
  }

  async commit(
    expected: StateHead,
    changes: readonly StateChange[],
    options?: CallOptions,
  ): Promise<StateHead> {
    this.#enter("commit", options);
    if (!isSameHead(expected, this.#head)) {
      throw new HeadMismatchError({ expected, actual: this.#head });
    }
    const plain = plainChanges(changes);
    const head = nextHead(this.#head, plain);
    for (const { kind, key, value } of plain) {
      const place = JSON.stringify([kind, key]);
      if (value === undefined) this.#records.delete(place);
      else this.#records.set(place, { kind, key, value, revision: head.revision });
    }
    this.#commits.set(head.revision, { hash: head.hash, changes: plain });
    // One more than is told of: its hash proves where the history begins.
    this.#commits.delete(head.revision - this.#historyCommits - 1);
    this.#head = head;
    return head;
  }

  async since(head: StateHead, options?: CallOptions): Promise<readonly StateCommit[] | "resync"> {
    this.#enter("tell what changed", options);
    return structuredClone(commitsAfter(head, this.#head, (revision) => this.#commits.get(revision)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
  }

  #enter(operation: string, options: CallOptions | undefined): void {
    options?.signal?.throwIfAborted();
    if (this.#isClosed) {
      throw new StoreUnavailableError({ store: this.name, operation, hint: "it was closed" });
    }
  }
}
