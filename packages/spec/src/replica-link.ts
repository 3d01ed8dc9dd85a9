import type { InputType } from "./input-type.js";
import type { Payload } from "./payload.js";
import type { ModelVersion } from "./query.js";

/** Who a replica says it is, when it says hello. */
export interface ReplicaIdentity extends ModelVersion {
  /** Given by the container manager; unique among live replicas. */
  readonly replicaId: string;
  /** 32 hex digits, new at each start of the process. */
  readonly incarnation: string;
  readonly inputType: InputType;
  /** `sha256:…` of the model bundle it loaded, or "" when it does not know. */
  readonly bundleDigest: string;
  /** Most inputs its function takes at once; 0 is any number. */
  readonly maxBatchSize: number;
}

/** One input on its way to one replica. */
export interface Attempt {
  /** Unique on the link; never used again on it. */
  readonly id: number;
  readonly input: Payload;
  /** Time left when handed over, µs; the replica may answer `expired` instead of trying once it is over. */
  readonly remainingMicros: number;
  readonly requestId?: string;
  readonly trace?: string;
}

/** What kind of error one item met inside the replica. */
export type AttemptErrorKind = "model_error" | "bad_output" | "bad_input" | "cancelled" | "expired";

export type AttemptOutcome =
  | { readonly id: number; readonly ok: true; readonly output: Payload }
  | { readonly id: number; readonly ok: false; readonly kind: AttemptErrorKind; readonly message: string };

/** Outcomes of some of a batch's items; a batch may be answered in several of these. */
export interface BatchResult {
  readonly outcomes: readonly AttemptOutcome[];
  /** µs from the batch's arrival at the replica to the call of the function. */
  readonly queueMicros: number;
  /** µs inside the function: the only time a batch policy may learn from. */
  readonly serviceMicros: number;
  /** Inputs the function was called with. */
  readonly batchSize: number;
}

export interface ReplicaLinkEvents {
  /** Some of the items of a batch that was sent. Items unknown to the receiver are ignored. */
  readonly result: (result: BatchResult) => void;
  /** The replica is alive; `ageMicros` is how long its batch in hand has been running, 0 when idle. */
  readonly beat: (ageMicros: number) => void;
  /** The replica asked for no more batches. What it was sent, it still answers. */
  readonly draining: () => void;
  /** The link is gone, for the reason given; nothing more will be told. Called exactly once. */
  readonly close: (reason: string) => void;
}

/**
 * The query engine's end of one connected replica.
 *
 * Lifecycle: a link is handed over connected. `listen` is called once, before anything else. After `close` was told, or `close()` called, every method
 * does nothing. Several batches may be under way at once; the replica works on them in the order sent.
 *
 * A link never decides anything: it does not retry, reorder, or time out an item.
 */
export interface ReplicaLink {
  readonly identity: ReplicaIdentity;
  listen(events: ReplicaLinkEvents): void;
  /** Sends one batch. Items whose outcome never comes are lost when the link closes. */
  send(batch: readonly Attempt[]): void;
  /** Says that nobody waits for these items any more; the replica may still answer them. */
  cancel(ids: readonly number[]): void;
  /** Asks the replica to end itself and be started again by the platform: its batch hangs. */
  recycle(reason: string): void;
  /** Says that this frontend goes, and closes once the replica has answered all it was sent. */
  drain(): Promise<void>;
  /** Closes at once. The `close` event follows. */
  close(reason: string): void;
}
