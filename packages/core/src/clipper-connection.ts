import path from "node:path";
import {
  type BundleStore,
  type CallOptions,
  type ClusterEndpoints,
  type ClusterRef,
  type ContainerManager,
  type ContainerManagerCapabilities,
  type ContainerManagerOrigin,
  checkName,
  type DeployModelRequest,
  type DeployResult,
  type DeployTarget,
  type ImageSink,
  type LinkRequest,
  type LogLine,
  type ModelRecord,
  type ModelVersion,
  NotFoundError,
  type PlatformCheck,
  type PlatformFacts,
  type PythonPlatform,
  type PythonPlatformRequest,
  type RegisterApplicationRequest,
  type RegisteredApplication,
  type RegisteredVersion,
  type RegisterVersion,
  type ReplicaReport,
  type ScratchDirectory,
  UnconnectedError,
  type VersionRecord,
} from "@clipper-serving/spec";
import {
  linkModel,
  registerApplication,
  toApplication,
  unlinkModel,
  unregisterApplication,
} from "./application-operations.js";
import { diagnoseCluster } from "./cluster-diagnosis.js";
import { ClusterHome, defaultHome } from "./cluster-home.js";
import { ClusterImages } from "./cluster-images.js";
import { findCluster, startCluster, stopCluster } from "./cluster-lifecycle.js";
import { type ClusterLogQuery, readLogs, writeLogs } from "./cluster-logs.js";
import type { RunningCluster, StartOptions } from "./cluster-parts.js";
import { clusterPython } from "./cluster-python.js";
import { waitForRevival } from "./cluster-revival.js";
import {
  type ClusterSettings,
  type ResolvedClusterSettings,
  resolveClusterSettings,
} from "./cluster-settings.js";
import { type ClusterStatus, clusterStatus } from "./cluster-status.js";
import { collectEnvironments, collectGarbage } from "./collect-garbage.js";
import type { ConnectedCluster } from "./connected-cluster.js";
import { DirectoryBundleStore } from "./directory-bundle-store.js";
import { mergeImageNames } from "./image-names.js";
import { deployModel } from "./model-deploy.js";
import { scaleVersion, stopVersion, switchVersion } from "./model-operations.js";
import {
  currentVersionOf,
  previousVersionOf,
  registeredVersion,
  type VersionsToStop,
  versionsToStop,
  wantedReplicas,
} from "./model-queries.js";
import { type OpenCluster, openCluster } from "./open-cluster.js";
import type { PredictionResult, PredictRequest } from "./prediction-client.js";
import { waitUntilApplied } from "./propagation.js";
import type { StateRestoration } from "./recovery/recover-state.js";
import { ScratchDirectories } from "./scratch-directories.js";
import { resolveStateSettings, settleState } from "./state-settings.js";

export interface ClipperConnectionOptions {
  /** Name of the cluster; many live side by side. Default `default`. */
  readonly cluster?: string;
  /** Where this machine remembers clusters. Default `$CLIPPER_HOME`, else `clipper` in the XDG state directory. */
  readonly home?: string;
  /** How another process makes the manager again, for one that does not say so itself. */
  readonly origin?: ContainerManagerOrigin;
}

/** What a cluster was found as. */
export interface ConnectResult {
  /** What was restored of its records, had they been lost. */
  readonly restored?: StateRestoration;
}

/**
 * The one object through which a cluster is started, connected to and managed.
 *
 * Call `start()` for a new cluster, or `connect()` for one that runs; everything else throws `UnconnectedError` before. Disposing of the connection lets
 * go of sockets and leaves the cluster running; `stop()` ends what runs and keeps what it remembers.
 *
 * Every method takes `{ signal, onProgress }` last. Failures are `ClipperError`s with a stable `code`.
 */
export class ClipperConnection implements DeployTarget, AsyncDisposable {
  readonly cluster: string;
  readonly bundles: BundleStore;
  readonly workDirectory: string;
  readonly #manager: ContainerManager;
  readonly #home: ClusterHome;
  readonly #origin: ContainerManagerOrigin | undefined;
  #connected: OpenCluster | undefined;

  constructor(manager: ContainerManager, options: ClipperConnectionOptions = {}) {
    const { cluster = "default", home = defaultHome(), origin = manager.origin } = options;
    this.cluster = checkName("cluster", cluster);
    this.workDirectory = path.resolve(home);
    this.#manager = manager;
    this.#origin = origin;
    this.#home = new ClusterHome(this.workDirectory, cluster);
    this.bundles = new DirectoryBundleStore(this.#home.bundlesDirectory);
  }

  // --- the cluster ---

  get isConnected(): boolean {
    return this.#connected !== undefined;
  }

  /** @throws UnconnectedError */
  get endpoints(): ClusterEndpoints {
    return this.#need("endpoints").endpoints;
  }

  get capabilities(): ContainerManagerCapabilities {
    return this.#manager.capabilities;
  }

  get images(): ImageSink | undefined {
    return this.#manager.images;
  }

  /** What is there, made, pushed and removed where programs are images; connected or not. */
  get clusterImages(): ClusterImages {
    return new ClusterImages({
      ...this.#imageParts,
      makeScratch: () => this.scratch(),
      view: async (signal) => this.#connected?.management.cluster(signal),
    });
  }

  facts(options?: CallOptions): Promise<PlatformFacts> {
    return this.#manager.facts(options);
  }

  scratch(): Promise<ScratchDirectory> {
    return new ScratchDirectories(path.join(this.workDirectory, "scratch")).make();
  }

  async pythonPlatform(request: PythonPlatformRequest, options: CallOptions = {}): Promise<PythonPlatform> {
    return clusterPython(this.#imageParts, request, options);
  }

  /**
   * Starts the cluster, or finds the one of this name that runs, and connects to it. What it remembers from before `stop()` comes back: applications,
   * models, replica counts. A start that was cut off is finished by the next one.
   * @param settings each default: what the cluster was made with, and the setting's own default for a new one
   * @param options.acceptStateLoss begin anew where records were lost and no query frontend holds them. Default false
   * @throws ManagerError (`PORT_TAKEN`, …), InvalidArgumentError, TimeoutError with the log of what did not come up, StateLostError
   */
  async start(settings?: ClusterSettings, options: StartOptions = {}): Promise<ConnectResult> {
    const known = await this.#knownSettings();
    const state = settleState(this.cluster, resolveStateSettings(settings?.state), known);
    const resolved = resolveClusterSettings({
      ...known,
      ...settings,
      images: mergeImageNames(known?.images ?? {}, settings?.images ?? {}),
      ...(state === undefined ? {} : { state }),
    });
    const running = await startCluster(this.#parts, resolved, options);
    await waitForRevival(await this.#adopt(running, options), options);
    return resultOf(running);
  }

  /**
   * Connects to the cluster of this name. One whose processes all ended, as after the loss of its supervisor, is started again from what it remembers. One whose
   * records were lost has them restored from what its query frontends hold, and goes on serving meanwhile.
   * @throws NotFoundError when this machine knows no such cluster; UnreachableError `CLUSTER_STOPPED` after `stop()`; StateLostError when no frontend holds what was lost
   */
  async connect(options: CallOptions = {}): Promise<ConnectResult> {
    const running = await findCluster(this.#parts, options);
    if (running === undefined) return this.start(undefined, options);
    await this.#adopt(running, options);
    return resultOf(running);
  }

  /**
   * Ends everything of the cluster that runs. Applications, models and bundles are kept for the next `start()`, unless `purge` is true, which leaves nothing.
   * Works unconnected, and on a cluster of which only parts are left.
   */
  async stop({ purge = false, ...options }: CallOptions & { readonly purge?: boolean } = {}): Promise<void> {
    await this.#letGo();
    await stopCluster(this.#parts, { ...options, purge });
    if (purge) await collectEnvironments(this.workDirectory, options);
  }

  /** Lets go of sockets; the cluster runs on. */
  async close(): Promise<void> {
    await this.#letGo();
    await this.#manager[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What runs, where, how: records, platform and frontends put together. */
  async status(options: CallOptions = {}): Promise<ClusterStatus> {
    const { management, endpoints, ref } = this.#need("status");
    const [view, workloads] = await Promise.all([
      management.cluster(options.signal),
      this.#manager.list(ref, options),
    ]);
    return clusterStatus({
      manager: this.#manager.name,
      endpoints: { query: endpoints.query.url, management: endpoints.management.url },
      view,
      workloads,
    });
  }

  /**
   * What stands in the way of this cluster on its platform, or soon may: looked at now, and nothing changed. Works unconnected, and before the cluster is made.
   * @param request.settings as for `start()`
   * @param request.pythonMinors of the interpreters that models are deployed from, such as `["3.11"]`, where no setting names images for them. Default none
   * @returns empty where the manager has nothing to look at
   * @throws ManagerError when the platform cannot be asked at all
   */
  async diagnose(
    request: { readonly settings?: ClusterSettings; readonly pythonMinors?: readonly string[] } = {},
    options: CallOptions = {},
  ): Promise<readonly PlatformCheck[]> {
    const { settings: given, pythonMinors = [] } = request;
    const settings = resolveClusterSettings({ ...(await this.#knownSettings()), ...given });
    return diagnoseCluster({ manager: this.#manager, cluster: this.#ref, settings, pythonMinors }, options);
  }

  /** Queues, batches, limits and cache of the query frontend, as one tree. Clipper's inspect_instance. */
  inspect({ signal }: CallOptions = {}): Promise<unknown> {
    return this.#need("inspect").predictions.inspect(signal);
  }

  /** Log lines of the cluster's instances. @throws NotFoundError when there is no such model or version */
  async *logs(query: ClusterLogQuery = {}): AsyncGenerator<LogLine, void, undefined> {
    yield* readLogs(this.#need("logs"), query);
  }

  /**
   * Writes one file per instance into `directory`, which is made when absent. Clipper's get_clipper_logs.
   * @returns the files' paths
   * @throws InvalidArgumentError when there can be no such directory
   */
  async saveLogs(directory: string, { signal }: CallOptions = {}): Promise<readonly string[]> {
    const lines = readLogs(this.#need("saveLogs"), signal === undefined ? {} : { signal });
    return writeLogs(directory, lines);
  }

  // --- applications ---

  /**
   * With `model` it is linked in the same step.
   * @throws ConflictError `APPLICATION_EXISTS`, InvalidNameError, InvalidArgumentError; as `linkModelToApp`
   */
  async registerApplication(request: RegisterApplicationRequest, options: CallOptions = {}): Promise<void> {
    await registerApplication(this.#need("registerApplication"), request, options);
  }

  /** @throws NotFoundError */
  async unregisterApplication(name: string, options: CallOptions = {}): Promise<void> {
    await unregisterApplication(this.#need("unregisterApplication"), name, options);
  }

  async getApplication(
    name: string,
    { signal }: CallOptions = {},
  ): Promise<RegisteredApplication | undefined> {
    const record = await this.#need("getApplication").management.application(name, signal);
    return record === undefined ? undefined : toApplication(record);
  }

  async getAllApplications({ signal }: CallOptions = {}): Promise<readonly RegisteredApplication[]> {
    return (await this.#need("getAllApplications").management.applications(signal)).map(toApplication);
  }

  /** @throws NotFoundError */
  async getLinkedModels(app: string, options: CallOptions = {}): Promise<readonly string[]> {
    const application = await this.getApplication(app, options);
    if (application === undefined) throw new NotFoundError({ kind: "application", name: app });
    return application.linkedModels;
  }

  /**
   * Sends an application's queries to a model's current version. An application is linked to one model.
   * @throws NotFoundError, ConflictError `ALREADY_LINKED`, `INPUT_TYPE_MISMATCH`, `SLO_BELOW_FLOOR`
   */
  async linkModelToApp(request: LinkRequest, options: CallOptions = {}): Promise<void> {
    await linkModel(this.#need("linkModelToApp"), request, options);
  }

  /** @throws NotFoundError when there is no such link */
  async unlinkModelFromApp(request: LinkRequest, options: CallOptions = {}): Promise<void> {
    await unlinkModel(this.#need("unlinkModelFromApp"), request, options);
  }

  // --- models ---

  /**
   * Starts replicas, waits until they are connected, and makes the version current. Deployers call this; so may whoever brings a program of their own.
   * What served goes on serving when it fails.
   * @throws DeployError, VersionExistsError, ConflictError, InvalidArgumentError, ManagerError
   */
  deployModel(request: DeployModelRequest, options: CallOptions = {}): Promise<DeployResult> {
    return deployModel(this.#need("deployModel"), request, options);
  }

  /** Registers a version whose replicas somebody else runs, and makes it current. */
  async registerModel(
    request: ModelVersion & Omit<RegisterVersion, "workload" | "replicas">,
    options: CallOptions = {},
  ): Promise<void> {
    const cluster = this.#need("registerModel");
    const { model, ...version } = request;
    checkName("model", model);
    checkName("version", version.version);
    await cluster.management.registerVersion(model, version, options.signal);
    await waitUntilApplied(cluster, options);
  }

  async getVersion(
    target: ModelVersion,
    { signal }: CallOptions = {},
  ): Promise<RegisteredVersion | undefined> {
    return registeredVersion(this.#need("getVersion"), target, signal);
  }

  getAllModels({ signal }: CallOptions = {}): Promise<readonly ModelRecord[]> {
    return this.#need("getAllModels").management.models(signal);
  }

  getVersions(model: string, { signal }: CallOptions = {}): Promise<readonly VersionRecord[]> {
    return this.#need("getVersions").management.versions(model, signal);
  }

  /** @throws NotFoundError */
  getCurrentModelVersion(model: string, { signal }: CallOptions = {}): Promise<string> {
    return currentVersionOf(this.#need("getCurrentModelVersion"), model, signal);
  }

  /** Replicas the query frontends are connected to. */
  getReplicas({ signal }: CallOptions = {}): Promise<readonly ReplicaReport[]> {
    return this.#need("getReplicas").management.replicas(signal);
  }

  /** Replicas wanted. @param version default: the current one */
  async getNumReplicas(model: string, version?: string, { signal }: CallOptions = {}): Promise<number> {
    const cluster = this.#need("getNumReplicas");
    const wanted = version ?? (await currentVersionOf(cluster, model, signal));
    return wantedReplicas(cluster, { model, version: wanted }, signal);
  }

  /**
   * Resolves when exactly that many replicas run and are connected. The count stands when this fails or is aborted, and the platform goes on bringing it about.
   * @throws NotFoundError, ConflictError `NO_CONTAINER` for a version whose replicas somebody else runs; ReplicaError when they end or do not connect in time
   */
  async setNumReplicas(
    request: { readonly model: string; readonly version?: string; readonly replicas: number },
    options: CallOptions = {},
  ): Promise<void> {
    const cluster = this.#need("setNumReplicas");
    const version = request.version ?? (await currentVersionOf(cluster, request.model, options.signal));
    await scaleVersion(cluster, { model: request.model, version }, request.replicas, options);
  }

  /**
   * Makes a registered version current: roll back, or forward. Resolves when every frontend serves it. Aborted or failed before the switch it leaves the current
   * version current, and what replicas it had started running.
   * @param request.version default: the previously current one
   * @throws NotFoundError; ConflictError `PRECONDITION_FAILED` when somebody changed the current version meanwhile, so that another one is the previous one
   */
  async setModelVersion(
    request: { readonly model: string; readonly version?: string; readonly replicas?: number },
    options: CallOptions = {},
  ): Promise<string> {
    const cluster = this.#need("setModelVersion");
    const { model, replicas } = request;
    const { version, revision } =
      request.version === undefined
        ? await previousVersionOf(cluster, model, options.signal)
        : { version: request.version, revision: undefined };
    await switchVersion(
      cluster,
      { model, version },
      {
        ...options,
        ...(replicas === undefined ? {} : { replicas }),
        ...(revision === undefined ? {} : { revision }),
      },
    );
    return version;
  }

  /** Stops all versions of the models, or those given, and unregisters them. Unknown models are left out. */
  async stopModels(which: VersionsToStop, options: CallOptions = {}): Promise<readonly ModelVersion[]> {
    const cluster = this.#need("stopModels");
    const targets = await versionsToStop(cluster, which, options);
    for (const target of targets) await stopVersion(cluster, target, options);
    await collectGarbage(cluster, options);
    return targets;
  }

  /** Stops every replica of every model, and unregisters the models. */
  async stopAllModels(options: CallOptions = {}): Promise<readonly ModelVersion[]> {
    const models = await this.getAllModels(options);
    return this.stopModels({ models: models.map(({ name }) => name) }, options);
  }

  // --- predictions ---

  /** The body of the answer to a request body, both as the query frontend's REST has them; for whoever has JSON already. */
  predictBody(app: string, body: object, { signal }: CallOptions = {}): Promise<string> {
    return this.#need("predictBody").predictions.predictBody(app, body, signal);
  }

  /** @throws NotFoundError for an unknown application or version; InvalidArgumentError; ClipperError for an input of the wrong type */
  async predict(
    request: PredictRequest & { readonly inputs?: undefined },
    options?: CallOptions,
  ): Promise<PredictionResult>;
  async predict(
    request: PredictRequest & { readonly input?: undefined },
    options?: CallOptions,
  ): Promise<readonly PredictionResult[]>;
  async predict(
    request: PredictRequest,
    { signal }: CallOptions = {},
  ): Promise<PredictionResult | readonly PredictionResult[]> {
    const results = await this.#need("predict").predictions.predict(request, signal);
    return request.inputs === undefined ? (results[0] as PredictionResult) : results;
  }

  /** Those the cluster was made with. */
  async #settings(): Promise<ResolvedClusterSettings> {
    return (await this.#knownSettings()) ?? resolveClusterSettings();
  }

  /** @returns undefined for a cluster that this machine does not know yet */
  async #knownSettings(): Promise<ResolvedClusterSettings | undefined> {
    const file = await this.#home.readFile();
    return file === undefined ? undefined : resolveClusterSettings(file.settings as ClusterSettings);
  }

  get #ref(): ClusterRef {
    return { name: this.cluster };
  }

  get #parts() {
    return { manager: this.#manager, cluster: this.#ref, home: this.#home, origin: this.#origin };
  }

  get #imageParts() {
    const cacheDirectory = path.join(this.workDirectory, "image-cache");
    return { manager: this.#manager, cacheDirectory, settings: () => this.#settings() };
  }

  #need(operation: string): ConnectedCluster {
    if (this.#connected === undefined) throw new UnconnectedError({ operation });
    return this.#connected;
  }

  async #adopt(running: RunningCluster, options: CallOptions): Promise<ConnectedCluster> {
    await this.#letGo();
    this.#connected = await openCluster(running, { ...this.#parts, bundles: this.bundles }, options);
    return this.#connected;
  }

  async #letGo(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    await connected?.[Symbol.asyncDispose]();
  }
}

function resultOf({ restored }: RunningCluster): ConnectResult {
  return restored === undefined ? {} : { restored };
}
