import type { WorkloadResources } from "./container-manager.js";
import type { DeployStep } from "./errors/deploy-errors.js";
import type { InputType } from "./input-type.js";
import type { OriginRecord } from "./origin.js";
import type { ModelVersion, ModelVersionKey } from "./query.js";

/*
 * What a cluster remembers. Records are wishes and facts about names, never about running processes: replicas are not records, frontends
 * report those under a lease.
 */

export interface ApplicationRecord {
  readonly name: string;
  readonly inputType: InputType;
  /** Text; an answer shows it as JSON where it parses as JSON, else as a string. */
  readonly defaultOutput: string;
  /** 1 … 2³¹−1 µs. */
  readonly latencySloMicros: number;
  /** Where its queries go. Clipper's link is one route. Empty: every answer is the default, reason `no_link`. */
  readonly routes: readonly Route[];
  /** Name of the selection policy. `first`: the first route. */
  readonly policy: string;
}

export interface Route {
  readonly model: string;
  /** A version, or `current`: whichever the model's record says at the time. */
  readonly version: string;
  /** Share of the queries, relative to the other routes' weights. */
  readonly weight: number;
  /** Sent too, its answer thrown away. */
  readonly mirror: boolean;
  /** Reserved: the part of a query that keeps it on one route. */
  readonly sticky?: string;
}

export interface ModelRecord {
  readonly name: string;
  /** One input type for all versions while an application is linked. */
  readonly inputType: InputType;
  /** Absent once the current version was stopped. */
  readonly currentVersion?: string;
  /** What was current before: where a rollback goes by default. */
  readonly previousVersion?: string;
}

export interface VersionRecord extends ModelVersion {
  readonly inputType: InputType;
  readonly labels: readonly string[];
  /** Of its bundle; "" for a version registered without one. */
  readonly bundleDigest: string;
  /** Digest of bundle and everything else that makes two deploys of one name and version the same. */
  readonly contentDigest: string;
  /** Clipper's container_name: an image, a directory, or `NO_CONTAINER`. */
  readonly containerName: string;
  readonly modelDataPath: string;
  /** Largest batch; −1: found by the frontend. */
  readonly batchSize: number;
  /** Workload that runs its replicas; absent for a version whose replicas somebody else runs. */
  readonly workload?: string;
  /** Replicas wanted while it is current or kept warm. */
  readonly replicas: number;
  /** Latency of the function on warm-up batches, measured at deploy; absent without a sample. */
  readonly floor?: readonly BatchFloor[];
}

export interface BatchFloor {
  readonly batchSize: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
}

/** A workload wanted on the platform. Its secret files are given by name and filled in by whoever applies it. */
export interface WorkloadRecord {
  readonly id: string;
  /** Everything of a `WorkloadSpec` but `instances` and the bytes of `secretFiles`. */
  readonly spec: WorkloadTemplate;
  /** Instances wanted. */
  readonly instances: number;
  /** The operation that made it and has not finished: without a live one it is removed. */
  readonly operation?: string;
}

export interface WorkloadTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly program:
    | { readonly kind: "image"; readonly ref: string; readonly digest?: string }
    | { readonly kind: "directory"; readonly path: string };
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Names of the cluster's secrets its instances may read: `rpc`. */
  readonly secrets: readonly string[];
  readonly resources: WorkloadResources;
  readonly graceMs: number;
  readonly overlay?: unknown;
}

export type OperationKind = "deploy" | "scale" | "rollback" | "stop";

/**
 * One thing somebody is doing to a model. It lives in the state so that whoever comes next can finish or undo it when its caller
 * is gone: a caller renews its lease; an operation whose lease has run out is taken over.
 */
export interface OperationRecord {
  readonly id: string;
  readonly kind: OperationKind;
  readonly target: ModelVersion;
  /** Where it is. `done` and `failed` are final; a final one is kept for an hour for people to read. */
  readonly phase: DeployStep | "waiting" | "done" | "failed";
  /** Workload it made, to be removed should it fail before the switch. */
  readonly workload?: string;
  /** Of a deploy: what it deploys, so that another deploy of the same can wait for it. */
  readonly contentDigest?: string;
  /** When the lease ends, ms since 1970 on the management frontend's clock. */
  readonly leaseUntilMs: number;
  readonly startedAtMs: number;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly facts?: Readonly<Record<string, unknown>>;
  };
}

/** Kinds of record, each with what its records look like. A record's key: see {@link RecordKeys}. */
export interface RecordKinds {
  application: ApplicationRecord;
  model: ModelRecord;
  version: VersionRecord;
  workload: WorkloadRecord;
  operation: OperationRecord;
  origin: OriginRecord;
}

export type RecordKind = keyof RecordKinds;

/** How a record's key is made from it. */
export interface RecordKeys {
  application: string;
  model: string;
  version: ModelVersionKey;
  workload: string;
  operation: string;
  origin: "origin";
}
