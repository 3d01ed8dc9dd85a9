import type {
  ApplicationRecord,
  BatchFloor,
  BatchPolicy,
  Clock,
  ModelRecord,
  ModelVersion,
  Payload,
  Prediction,
  Random,
  ReplicaLink,
  ReplicaReport,
  SelectionPolicy,
  VersionRecord,
} from "@clipper-serving/spec";
import type { EngineObserver } from "./engine-observer.js";
import type { EngineInspection } from "./inspection.js";

export interface QueryEngineOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Bound of the prediction cache, keys and inputs included. Default 32 MiB; 0 keeps nothing, and equal queries under way still share one task. */
  readonly cacheBytes?: number;
  /** Bound of each model version's queue. Default 64 MiB. */
  readonly queueBytesPerModel?: number;
  /** A batch older than this has its replica recycled. Default 30 s. */
  readonly hangLimitMicros?: number;
  /** Beside `first` and `weighted`; one of the same name replaces those. */
  readonly policies?: readonly SelectionPolicy[];
  /** Default: AIMD where `batchSize` is −1, else that size. */
  readonly createBatchPolicy?: (context: BatchPolicyContext) => BatchPolicy;
  /** Whether an input lost with its replica may be tried on another; false for functions with side effects. Default: always. */
  readonly mayRetry?: (target: ModelVersion) => boolean;
  readonly observer?: Partial<EngineObserver>;
}

export interface BatchPolicyContext {
  readonly target: ModelVersion;
  /** Of the version's record: −1 is found by the engine. */
  readonly batchSize: number;
  /** The shortest objective among the queries of late, µs. */
  readonly sloMicros: () => number;
  /** Of the version's record, where it was measured. */
  readonly floor?: readonly BatchFloor[];
}

/** The records the engine serves by: everything it knows of the cluster's state. */
export interface ServingState {
  readonly applications: readonly ApplicationRecord[];
  readonly models: readonly ModelRecord[];
  readonly versions: readonly VersionRecord[];
}

/** One input for one application. */
export interface PredictRequest {
  readonly application: string;
  readonly input: Payload;
  /** Insists on a version of the application's model. */
  readonly version?: string;
  /** On the engine's clock; never later than the application's objective. Default: now and the objective. */
  readonly deadlineMicros?: number;
  readonly requestId?: string;
  /** W3C `traceparent`. */
  readonly trace?: string;
  /** Aborted when the caller has gone: what was not sent is dropped, what was sent is cancelled. */
  readonly signal?: AbortSignal;
}

/**
 * Turns queries into predictions: it owns deadlines, selection, cache, queues, batches and replicas. It opens nothing: state arrives by `apply`,
 * replicas by `attach`, queries by `predict`, and none of them waits for another.
 */
export interface QueryEngine {
  /**
   * Replaces what is served by. A model's current version is served by the one before until a replica of the new one is ready. Queued
   * tasks of versions that are gone get their outcome at once; what replicas already hold is still answered.
   * @throws InvalidArgumentError when an application names a policy that nobody registered; everything else of the state is applied, and
   * that application gives its default output, reason `no_link`
   */
  apply(state: ServingState): void;
  /** Takes a connected replica. Of a version not registered, it is parked: reported, and not routed to before the version is registered. */
  attach(link: ReplicaLink): void;
  application(name: string): ApplicationRecord | undefined;
  /**
   * Answers by the deadline, with the default output where the model cannot. A caller that aborts gets a default that nobody needs to see.
   * @throws NotFoundError for an application or version that does not exist
   * @throws ConflictError `NO_LINKED_MODEL` for a version of an application linked to no model
   */
  predict(request: PredictRequest): Promise<Prediction>;
  replicas(): readonly ReplicaReport[];
  /** For each model, the version that queries for its current one go to now. */
  serving(): Readonly<Record<string, string>>;
  /** Whether a query for this version would find a replica now. */
  isReady(target: ModelVersion): boolean;
  /** From now on new queries get the default output, reason `draining`. Resolves when none is under way. */
  drain(): Promise<void>;
  inspect(): EngineInspection;
}
