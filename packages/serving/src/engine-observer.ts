import type {
  ApplicationRecord,
  DefaultReason,
  ModelVersion,
  Outcome,
  Prediction,
  ReplicaReport,
} from "@clipper-serving/spec";

/** One batch that a replica has wholly answered. */
export interface BatchDone {
  readonly target: ModelVersion;
  readonly replicaId: string;
  readonly batchSize: number;
  /** In the replica, before the function was called. */
  readonly queueMicros: number;
  /** Inside the function. */
  readonly serviceMicros: number;
  /** From sending the batch to the last of its outcomes. */
  readonly roundTripMicros: number;
}

/**
 * What the engine tells while it works: for metrics, logs and traces. Hooks are called synchronously on the request path and must neither throw
 * nor call the engine. A hook that is absent costs nothing.
 */
export interface EngineObserver {
  /**
   * A query was settled. Not told for queries refused with an error.
   * @param aborted its caller had gone; the prediction was seen by nobody
   */
  queryDone(
    prediction: Prediction,
    latencyMicros: number,
    application: ApplicationRecord,
    aborted: boolean,
  ): void;
  /** A task joined the queue of its model version. */
  taskQueued(target: ModelVersion, queueLength: number): void;
  /** An input was sent to a replica, so long after it had joined the queue. Tasks that share it are told of once, an input sent again again. */
  inputSent(target: ModelVersion, waitMicros: number): void;
  /** A task has its outcome, whether or not anybody still waits for it. */
  taskDone(target: ModelVersion, outcome: Outcome): void;
  batchDone(batch: BatchDone): void;
  cacheLookup(target: ModelVersion, result: "hit" | "join" | "miss"): void;
  /** A replica came, or changed its state. */
  replicaChanged(report: ReplicaReport): void;
  /** A replica has gone. */
  replicaGone(report: ReplicaReport, reason: string): void;
  /** A task was given up before it reached a replica. */
  shed(target: ModelVersion, reason: DefaultReason): void;
  /** A replica told the outcome of something it was not asked, or told it twice; it was ignored. */
  strayOutcome(target: ModelVersion, replicaId: string): void;
}
