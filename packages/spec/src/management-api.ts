import type { InputType } from "./input-type.js";
import type { OriginRecord } from "./origin.js";
import type { ModelVersion } from "./query.js";
import type {
  ApplicationRecord,
  BatchFloor,
  ModelRecord,
  OperationKind,
  OperationRecord,
  Route,
  VersionRecord,
  WorkloadRecord,
} from "./records.js";
import type { StateCommit, StateHead, StateSnapshot } from "./state-store.js";

/*
 * The management frontend's own REST interface, `/v1`. Every request carries `Authorization: Bearer <token>`. Every answer that shows a record carries
 * `ETag: "<revision>"`; writes take `If-Match` and answer 412 when it no longer holds. Lists are `{ "items": [...] }`.
 *
 * | request | body | answers |
 * |---|---|---|
 * | `GET /v1/cluster` | | 200 {@link ClusterView} |
 * | `DELETE /v1/cluster` | | 204: every record is gone, and nothing else can be asked; of a store that does not go with the cluster's volumes · 409 for others |
 * | `GET /v1/applications` · `GET /v1/applications/{name}` | | 200 {@link Stored} of ApplicationRecord · 404 |
 * | `POST /v1/applications` | {@link CreateApplication} | 201 · 409 `APPLICATION_EXISTS`, and as its routes |
 * | `DELETE /v1/applications/{name}` | | 204 · 404 |
 * | `PUT /v1/applications/{name}/routes` | {@link PutRoutes} | 200 · 404 · 409 `INPUT_TYPE_MISMATCH`, `SLO_BELOW_FLOOR` |
 * | `GET /v1/models` · `GET /v1/models/{model}` | | 200 ModelRecord · 404 |
 * | `GET /v1/models/{model}/versions` · `…/{version}` | | 200 VersionRecord · 404 |
 * | `POST /v1/models/{model}/versions` | {@link RegisterVersion} | 201, and makes it current · 409 `VERSION_EXISTS`, `INPUT_TYPE_MISMATCH` |
 * | `DELETE /v1/models/{model}/versions/{version}` | | 204: its workload too · 404 |
 * | `PUT /v1/models/{model}/current` | {@link PutCurrent} | 200 ModelRecord · 404 · 409 |
 * | `GET /v1/workloads` | | 200 WorkloadRecord |
 * | `PUT /v1/workloads/{id}` | WorkloadRecord | 200 · 409 when its operation is not live |
 * | `PUT /v1/workloads/{id}/instances` | {@link PutInstances} | 200 · 404 |
 * | `DELETE /v1/workloads/{id}` | | 204 also when absent |
 * | `POST /v1/operations` | {@link BeginOperation} | 201 {@link BegunOperation}, 200 when there is nothing to do · 409 `OPERATION_RUNNING`, `VERSION_EXISTS`, `INPUT_TYPE_MISMATCH` |
 * | `GET /v1/operations` · `GET /v1/operations/{id}` | | 200 OperationRecord |
 * | `PUT /v1/operations/{id}` | {@link RenewOperation} | 200: lease renewed, phase moved · 409 `OPERATION_ENDED` |
 * | `POST /v1/operations/{id}/switch` | RegisterVersion | 200 ModelRecord: registers the version, makes it current, releases the workload and ends the operation, in one commit |
 * | `POST /v1/operations/{id}/finish` | {@link FinishOperation} | 200: done, or failed and what it made removed |
 * | `GET /v1/replicas` | | 200 {@link ReplicaReport} of all live frontends |
 * | `GET /v1/frontends` | | 200 {@link FrontendView} |
 * | `PUT /v1/frontends/{id}` | {@link FrontendReport} | 200 {@link FrontendLease} |
 * | `PUT /v1/frontends/{id}/snapshot` | StateSnapshot | 204 · 404 for a frontend that has not reported |
 * | `GET /v1/snapshots` | | 200 {@link HeldSnapshot} |
 * | `POST /v1/restore` | {@link RestoreState} | 200 {@link RestoredState} · 409 `STORE_NOT_NEW` |
 * | `POST /v1/accept-loss` | {@link AcceptLoss} | 200 {@link RestoredState} · 409 `STORE_NOT_NEW` |
 * | `GET /v1/watch?epoch=&revision=&hash=` | | 200 `application/x-ndjson`, one {@link WatchEvent} a line, until either side ends |
 * | `GET /v1/prometheus/targets` | | 200 Prometheus HTTP service discovery |
 *
 * An answer that is not 2xx is an {@link ErrorBody}.
 *
 * A store that was lost. Management whose store has no commit yet (`state: "new"`) cannot know whether it ever had one. The frontends can: one that serves a state of
 * another epoch is asked for it (`snapshotWanted`), and writes are refused (409 `STATE_LOST`) until somebody has restored the store from what the frontends
 * hold, or has said that the loss is accepted. Either is one commit, on the store's head as the caller read it.
 */

/** A record as REST shows it. */
export type Stored<Kind> = Kind & { readonly revision: number };

export interface ErrorBody {
  /** The error's name in words, as Clipper had it; for people. */
  readonly error: string;
  /** One sentence. */
  readonly cause: string;
  readonly code: string;
  readonly hint?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly request_id?: string;
}

export interface CreateApplication {
  readonly name: string;
  readonly inputType: InputType;
  readonly defaultOutput: string;
  readonly latencySloMicros: number;
  /** Where its queries go from the start. What `PUT …/routes` would refuse refuses the application. Default: nowhere. */
  readonly routes?: readonly Route[];
  /** As of {@link PutRoutes}. */
  readonly force?: boolean;
}

export interface PutRoutes {
  readonly routes: readonly Route[];
  /** Route to a version whose measured floor is above the objective all the same. */
  readonly force?: boolean;
}

export interface RegisterVersion {
  readonly version: string;
  readonly inputType: InputType;
  readonly labels?: readonly string[];
  readonly bundleDigest?: string;
  readonly contentDigest?: string;
  readonly containerName?: string;
  readonly modelDataPath?: string;
  /** −1, the default: found by the frontend. */
  readonly batchSize?: number;
  readonly workload?: string;
  readonly replicas?: number;
  readonly floor?: readonly BatchFloor[];
  /** How many versions before the current one keep their replicas; older ones are scaled to 0. Default 1. */
  readonly keepWarm?: number;
  readonly force?: boolean;
}

export interface PutCurrent {
  readonly version: string;
}

export interface PutInstances {
  readonly instances: number;
}

export interface BeginOperation {
  /** Makes asking again, when the answer was lost, the same request: a name that no other operation has. Default: made by the frontend. */
  readonly id?: string;
  readonly kind: OperationKind;
  readonly target: ModelVersion;
  /** A deploy's: decides whether it is the same one again. */
  readonly contentDigest?: string;
  readonly inputType?: InputType;
}

export interface BegunOperation {
  /** Absent when there is nothing to do. */
  readonly operation?: OperationRecord;
  /** The version is there with the same content, and current. */
  readonly unchanged: boolean;
  /** How often to renew, ms. */
  readonly renewEveryMs: number;
}

export interface RenewOperation {
  readonly phase: OperationRecord["phase"];
  readonly workload?: string;
}

export interface FinishOperation {
  readonly error?: OperationRecord["error"];
}

/** How one replica looks from one frontend. */
export interface ReplicaReport extends ModelVersion {
  readonly replicaId: string;
  readonly incarnation: string;
  readonly bundleDigest: string;
  /** `parked`: of a version not registered yet · `suspect`: its batch hangs or its heart is quiet. */
  readonly state: "parked" | "ready" | "suspect" | "draining";
  readonly frontend?: string;
}

/** What a query frontend tells, at least once a second and whenever it changes. */
export interface FrontendReport {
  readonly id: string;
  /** Base URL as callers outside reach it, or "". */
  readonly url: string;
  readonly startedAtMs: number;
  /** The state it serves; absent before the first. */
  readonly head?: StateHead;
  readonly replicas: readonly ReplicaReport[];
  /** For each model: the version its current queries go to now, which trails the record until a replica is ready. */
  readonly serving: Readonly<Record<string, string>>;
}

export interface FrontendLease {
  /** Tell again within this time, ms, or be forgotten. */
  readonly leaseMs: number;
  /** The store is new, and the frontend serves a state of another one that nobody has sent yet. Default false. */
  readonly snapshotWanted?: boolean;
}

/** A state that live frontends hold and the store does not. */
export interface HeldSnapshot {
  /** By id. */
  readonly frontends: readonly string[];
  readonly snapshot: StateSnapshot;
}

export interface RestoreState {
  /** The head of the store, which is new: of two who restore at once, one does. */
  readonly expected: StateHead;
  /** Its applications, models, versions and workloads are restored; operations are not, nor workloads that belonged to one. */
  readonly snapshot: StateSnapshot;
  /** See {@link OriginRecord}. */
  readonly left: readonly string[];
}

export interface AcceptLoss {
  readonly expected: StateHead;
  /** Of the histories that are given up: whoever holds one follows this store from now on, and workloads they left may go. */
  readonly epochs: readonly string[];
}

export interface RestoredState {
  readonly head: StateHead;
  readonly origin: OriginRecord;
}

export interface FrontendView extends FrontendReport {
  readonly lastSeenMs: number;
}

export interface ClusterView {
  readonly cluster: string;
  readonly head: StateHead;
  /** `new`: nothing was ever committed to the store. */
  readonly state: "new" | "in-use";
  /** Absent for a store that took no other's place. */
  readonly origin?: OriginRecord;
  readonly store: string;
  /** Of the management frontend. */
  readonly version: string;
  readonly applications: readonly Stored<ApplicationRecord>[];
  readonly models: readonly Stored<ModelRecord>[];
  readonly versions: readonly Stored<VersionRecord>[];
  readonly workloads: readonly Stored<WorkloadRecord>[];
  readonly operations: readonly Stored<OperationRecord>[];
  readonly frontends: readonly FrontendView[];
}

export type WatchEvent =
  /** First of all, and whenever the state cannot be told as changes. */
  | { readonly type: "snapshot"; readonly snapshot: StateSnapshot }
  | { readonly type: "commit"; readonly commit: StateCommit }
  /** Every second, so that a dead stream is noticed. */
  | { readonly type: "beat"; readonly head: StateHead };
