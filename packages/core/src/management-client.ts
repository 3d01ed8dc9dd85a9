import type {
  AcceptLoss,
  ApplicationRecord,
  BeginOperation,
  BegunOperation,
  ClusterView,
  CreateApplication,
  FinishOperation,
  FrontendView,
  HeldSnapshot,
  ModelRecord,
  ModelVersion,
  OperationRecord,
  PutRoutes,
  RegisterVersion,
  RenewOperation,
  ReplicaReport,
  RestoredState,
  RestoreState,
  Stored,
  VersionRecord,
  WorkloadRecord,
} from "@clipper-serving/spec";
import { HttpClient, type HttpClientOptions } from "./http-client.js";

interface Items<Item> {
  readonly items: readonly Item[];
}

/** Of a change that was decided on what a record said. */
export interface ChangeOptions {
  /** The record's, then: one that somebody has changed since is left as it is, with ConflictError `PRECONDITION_FAILED`. */
  readonly revision?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A frontend that was killed is back within seconds. */
const PATIENCE_MS = 10_000;

/**
 * The management frontend's `/v1`, one method per request. See `management-api.ts` of the specification for what each does.
 * A restart of the frontend is waited for, except by what may not be asked twice and may have been heard.
 */
export class ManagementClient {
  readonly #http: HttpClient;

  /**
   * @param options.patienceMs for how long a frontend that is away is asked again. Default 10,000
   * @param options.whyGone why it will not come back, where that is known
   */
  constructor(options: {
    url: string;
    token: string;
    patienceMs?: number;
    whyGone?: HttpClientOptions["whyGone"];
  }) {
    this.#http = new HttpClient({ patienceMs: PATIENCE_MS, ...options, what: "the management frontend" });
  }

  get url(): string {
    return this.#http.url;
  }

  cluster(signal?: AbortSignal): Promise<ClusterView> {
    return this.#http.send({ method: "GET", path: "/v1/cluster", signal });
  }

  /** Forgets every record, where they do not lie on a volume of the cluster. */
  deleteCluster(signal?: AbortSignal): Promise<void> {
    return this.#http.send({ method: "DELETE", path: "/v1/cluster", signal });
  }

  async applications(signal?: AbortSignal): Promise<readonly Stored<ApplicationRecord>[]> {
    return this.#list("/v1/applications", signal);
  }

  application(name: string, signal?: AbortSignal): Promise<Stored<ApplicationRecord> | undefined> {
    return this.#http.find(`/v1/applications/${encodeURIComponent(name)}`, signal);
  }

  createApplication(body: CreateApplication, signal?: AbortSignal): Promise<Stored<ApplicationRecord>> {
    return this.#http.send({ method: "POST", path: "/v1/applications", body, signal });
  }

  deleteApplication(name: string, signal?: AbortSignal): Promise<void> {
    return this.#http.send({
      method: "DELETE",
      path: `/v1/applications/${encodeURIComponent(name)}`,
      signal,
    });
  }

  putRoutes(
    name: string,
    body: PutRoutes,
    { revision, signal }: ChangeOptions,
  ): Promise<Stored<ApplicationRecord>> {
    return this.#http.send({
      method: "PUT",
      path: `/v1/applications/${encodeURIComponent(name)}/routes`,
      body,
      ifMatch: revision,
      signal,
    });
  }

  async models(signal?: AbortSignal): Promise<readonly Stored<ModelRecord>[]> {
    return this.#list("/v1/models", signal);
  }

  model(name: string, signal?: AbortSignal): Promise<Stored<ModelRecord> | undefined> {
    return this.#http.find(`/v1/models/${encodeURIComponent(name)}`, signal);
  }

  async versions(model: string, signal?: AbortSignal): Promise<readonly Stored<VersionRecord>[]> {
    return this.#list(`/v1/models/${encodeURIComponent(model)}/versions`, signal);
  }

  version(target: ModelVersion, signal?: AbortSignal): Promise<Stored<VersionRecord> | undefined> {
    return this.#http.find(versionPath(target), signal);
  }

  registerVersion(
    model: string,
    body: RegisterVersion,
    signal?: AbortSignal,
  ): Promise<Stored<VersionRecord>> {
    return this.#http.send({
      method: "POST",
      path: `/v1/models/${encodeURIComponent(model)}/versions`,
      body,
      signal,
    });
  }

  deleteVersion(target: ModelVersion, signal?: AbortSignal): Promise<void> {
    return this.#http.send({ method: "DELETE", path: versionPath(target), signal });
  }

  putCurrent(
    { model, version }: ModelVersion,
    { revision, signal }: ChangeOptions,
  ): Promise<Stored<ModelRecord>> {
    return this.#http.send({
      method: "PUT",
      path: `/v1/models/${encodeURIComponent(model)}/current`,
      body: { version },
      ifMatch: revision,
      signal,
    });
  }

  async workloads(signal?: AbortSignal): Promise<readonly Stored<WorkloadRecord>[]> {
    return this.#list("/v1/workloads", signal);
  }

  putWorkload(record: WorkloadRecord, signal?: AbortSignal): Promise<Stored<WorkloadRecord>> {
    return this.#http.send({ method: "PUT", path: `/v1/workloads/${record.id}`, body: record, signal });
  }

  putInstances(id: string, instances: number, signal?: AbortSignal): Promise<Stored<WorkloadRecord>> {
    return this.#http.send({
      method: "PUT",
      path: `/v1/workloads/${id}/instances`,
      body: { instances },
      signal,
    });
  }

  deleteWorkload(id: string, signal?: AbortSignal): Promise<void> {
    return this.#http.send({ method: "DELETE", path: `/v1/workloads/${id}`, repeatable: true, signal });
  }

  async operations(signal?: AbortSignal): Promise<readonly Stored<OperationRecord>[]> {
    return this.#list("/v1/operations", signal);
  }

  beginOperation(body: BeginOperation, signal?: AbortSignal): Promise<BegunOperation> {
    const repeatable = body.id !== undefined;
    return this.#http.send({ method: "POST", path: "/v1/operations", body, repeatable, signal });
  }

  renewOperation(id: string, body: RenewOperation, signal?: AbortSignal): Promise<OperationRecord> {
    return this.#http.send({ method: "PUT", path: `/v1/operations/${id}`, body, signal });
  }

  switchOperation(id: string, body: RegisterVersion, signal?: AbortSignal): Promise<Stored<ModelRecord>> {
    return this.#http.send({
      method: "POST",
      path: `/v1/operations/${id}/switch`,
      body,
      repeatable: true,
      signal,
    });
  }

  finishOperation(id: string, body: FinishOperation, signal?: AbortSignal): Promise<OperationRecord> {
    return this.#http.send({
      method: "POST",
      path: `/v1/operations/${id}/finish`,
      body,
      repeatable: true,
      signal,
    });
  }

  async replicas(signal?: AbortSignal): Promise<readonly ReplicaReport[]> {
    return this.#list("/v1/replicas", signal);
  }

  async frontends(signal?: AbortSignal): Promise<readonly FrontendView[]> {
    return this.#list("/v1/frontends", signal);
  }

  async snapshots(signal?: AbortSignal): Promise<readonly HeldSnapshot[]> {
    return this.#list("/v1/snapshots", signal);
  }

  restore(body: RestoreState, signal?: AbortSignal): Promise<RestoredState> {
    return this.#http.send({ method: "POST", path: "/v1/restore", body, signal });
  }

  acceptLoss(body: AcceptLoss, signal?: AbortSignal): Promise<RestoredState> {
    return this.#http.send({ method: "POST", path: "/v1/accept-loss", body, signal });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #list<Item>(path: string, signal?: AbortSignal): Promise<readonly Item[]> {
    return (await this.#http.send<Items<Item>>({ method: "GET", path, signal })).items;
  }
}

function versionPath({ model, version }: ModelVersion): string {
  return `/v1/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`;
}
