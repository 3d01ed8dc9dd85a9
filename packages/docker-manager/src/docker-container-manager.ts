import {
  type CallOptions,
  type ClusterRef,
  type ContainerManager,
  type ContainerManagerCapabilities,
  type ContainerManagerOrigin,
  checkName,
  checkWorkloadSpec,
  type DiagnoseRequest,
  type ImageSink,
  InvalidArgumentError,
  isValidName,
  type LogLine,
  type LogQuery,
  type PlatformCheck,
  type PlatformFacts,
  type Reach,
  rejectOnAbort,
  UnsupportedError,
  type WorkloadSpec,
  type WorkloadStatus,
} from "@clipper-serving/spec";
import { diagnoseEngine } from "./diagnosis/diagnose-engine.js";
import {
  type DockerManagerOptions,
  originOptions,
  type ResolvedDockerOptions,
  resolveOptions,
} from "./docker-options.js";
import { parseOverlay } from "./docker-overlay.js";
import type { Engine } from "./engine/engine.js";
import { EngineConnection } from "./engine-connection.js";
import { engineFacts } from "./engine-facts.js";
import { EngineImageSink } from "./images/engine-image-sink.js";
import { claimImages } from "./images/image-claims.js";
import { clusterLogs } from "./logs/cluster-logs.js";
import { MANAGER } from "./manager-name.js";
import { applyWorkload, type ImageSpec } from "./workload/apply-workload.js";
import { clusterChanges } from "./workload/cluster-changes.js";
import { removeNetworks } from "./workload/cluster-network.js";
import { isOfKind, labelsOf, viewCluster, workloadIn } from "./workload/cluster-view.js";
import { inTurn } from "./workload/engine-turn.js";
import { LABEL } from "./workload/labels.js";
import { listWorkloads } from "./workload/list-workloads.js";
import { reachWorkload } from "./workload/reach-workload.js";
import { removeWorkload } from "./workload/remove-workload.js";
import { Rollouts } from "./workload/rollouts.js";
import { callerHostOf, type Surroundings } from "./workload/surroundings.js";
import { Turns } from "./workload/turns.js";

/** Runs workloads as containers of a Docker engine. All it knows is on the engine, in labels. */
export class DockerContainerManager implements ContainerManager {
  readonly specVersion = 1;
  readonly name = MANAGER;
  readonly origin: ContainerManagerOrigin;
  readonly images: ImageSink;
  readonly #options: ResolvedDockerOptions;
  readonly #connection: EngineConnection;
  readonly #rollouts = new Rollouts();
  readonly #turns = new Turns();
  readonly #disposed = new AbortController();
  /** As far as the engine was asked. */
  #gpus = 0;

  constructor(options: DockerManagerOptions = {}) {
    this.#options = resolveOptions(options, process.env);
    this.#connection = new EngineConnection(this.#options.wish);
    this.images = new EngineImageSink({
      connect: () => this.#connection.get(),
      pull: this.#options.pull,
      stallTimeoutMs: this.#options.stallTimeoutMs,
    });
    this.origin = {
      // Also when this runs from its source: other processes can import only what is built.
      module: new URL("../dist/index.js", import.meta.url).href,
      options: { ...originOptions(this.#options) },
    };
  }

  get capabilities(): ContainerManagerCapabilities {
    return {
      program: "image",
      manyNodes: false,
      revives: true,
      volumes: true,
      gpus: this.#gpus > 0,
      logsOfExited: true,
    };
  }

  facts({ signal }: CallOptions = {}): Promise<PlatformFacts> {
    return rejectOnAbort(signal, async () => {
      const facts = await engineFacts(await this.#connection.get());
      this.#gpus = facts.gpus;
      return facts;
    });
  }

  clusters({ signal }: CallOptions = {}): Promise<readonly ClusterRef[]> {
    return rejectOnAbort(signal, async () => {
      const engine = await this.#connection.get();
      const [volumes, containers] = await Promise.all([
        engine.volumes.list([LABEL.cluster]),
        engine.containers.list([LABEL.cluster, `${LABEL.kind}=instance`]),
      ]);
      const lasting = volumes.filter((volume) => isOfKind(volume, "record") || isOfKind(volume, "volume"));
      const names = [...lasting.map(labelsOf), ...containers.map(({ Labels }) => Labels ?? {})].map(
        (labels) => labels[LABEL.cluster] ?? "",
      );
      return [...new Set(names)].filter(isValidName).map((name) => ({ name }));
    });
  }

  apply(cluster: ClusterRef, workload: WorkloadSpec, options: CallOptions = {}): Promise<void> {
    return rejectOnAbort(options.signal, async () => {
      checkName("cluster", cluster.name);
      checkWorkloadSpec(workload);
      checkSupported(workload);
      parseOverlay(workload.overlay);
      await this.#checkGpus(workload, options);
      const surroundings = await this.#surroundings(cluster);
      checkFillable(surroundings.engine, workload);
      await this.#turns.take(`${cluster.name}/${workload.id}`, async () => {
        await this.#rollouts.halt(cluster.name, workload.id);
        const turn = { engine: surroundings.engine, cluster: cluster.name, workload: workload.id };
        await inTurn(turn, options.signal, () => applyWorkload(surroundings, workload as ImageSpec, options));
      });
      this.#rollouts.nudge(surroundings, workload.id);
    });
  }

  remove(
    cluster: ClusterRef,
    id: string,
    { volumes = false, signal }: CallOptions & { readonly volumes?: boolean } = {},
  ): Promise<void> {
    return rejectOnAbort(signal, async () => {
      const surroundings = await this.#surroundings(cluster);
      const { engine } = surroundings;
      const { workloads } = await viewCluster(engine, cluster.name);
      if (id !== "all") {
        await this.#remove(surroundings, id);
        await Promise.all((workloads.get(id)?.imageClaims ?? []).map((name) => engine.volumes.remove(name)));
        return;
      }
      // What is started again needs its image again, whoever clears up meanwhile.
      if (!volumes) await claimImages(surroundings, workloads.values());
      await Promise.all([...workloads.keys()].map((each) => this.#remove(surroundings, each)));
      await removeNetworks(engine, cluster.name);
      if (!volumes) return;
      const left = await viewCluster(engine, cluster.name);
      await Promise.all(left.volumes.map(({ Name }) => engine.volumes.remove(Name)));
    });
  }

  list(cluster: ClusterRef, { signal }: CallOptions = {}): Promise<readonly WorkloadStatus[]> {
    return rejectOnAbort(signal, async () =>
      listWorkloads(await this.#surroundings(cluster), this.#rollouts),
    );
  }

  changes(cluster: ClusterRef, { signal }: CallOptions): AsyncIterable<void> {
    const { signal: disposed } = this.#disposed;
    const over = signal === undefined ? disposed : AbortSignal.any([signal, disposed]);
    return clusterChanges(() => this.#connection.get(), checkName("cluster", cluster.name), over);
  }

  reach(
    cluster: ClusterRef,
    to: { readonly id: string; readonly port: string },
    from: "caller" | "cluster",
    { signal }: CallOptions = {},
  ): Promise<Reach> {
    return rejectOnAbort(signal, async () => {
      const addresses = await reachWorkload(await this.#surroundings(cluster), to, from);
      // There is no tunnel to end.
      return { addresses, [Symbol.asyncDispose]: async () => undefined };
    });
  }

  async *logs(cluster: ClusterRef, query: LogQuery): AsyncGenerator<LogLine> {
    if (query.signal?.aborted === true) return;
    const { engine } = await this.#surroundings(cluster);
    yield* clusterLogs(engine, cluster.name, query);
  }

  diagnose(
    { cluster, ...request }: DiagnoseRequest,
    { signal }: CallOptions = {},
  ): Promise<readonly PlatformCheck[]> {
    return rejectOnAbort(signal, async () =>
      diagnoseEngine(await this.#surroundings(cluster), request, signal),
    );
  }

  /** What runs goes on; what was being changed is carried on by whoever lists or applies next. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    this.#rollouts.haltAll();
    await this.#connection.close();
  }

  async #surroundings({ name }: ClusterRef): Promise<Surroundings> {
    const cluster = checkName("cluster", name);
    const engine: Engine = await this.#connection.get();
    return { engine, cluster, options: this.#options, callerHost: callerHostOf(engine, this.#options) };
  }

  #remove(surroundings: Surroundings, id: string): Promise<void> {
    const { engine, cluster } = surroundings;
    return this.#turns.take(`${cluster}/${id}`, async () => {
      await this.#rollouts.halt(cluster, id);
      const view = workloadIn(await viewCluster(engine, cluster), id);
      await this.#rollouts.whileEnding(view.containers, () => removeWorkload(surroundings, view));
    });
  }

  async #checkGpus({ resources }: WorkloadSpec, options: CallOptions): Promise<void> {
    const { gpus = 0 } = resources;
    if (gpus === 0) return;
    const { gpus: there } = await this.facts(options);
    if (gpus <= there) return;
    throw new UnsupportedError({
      manager: MANAGER,
      what: `a program with ${gpus} GPUs: the engine has ${there}`,
      hint: "install the NVIDIA container toolkit on the engine's machine, or ask for fewer",
    });
  }
}

/** podman unpacks into the container and not into its volumes while it does not run: secrets would be lost without a word. */
function checkFillable({ version }: Engine, { secretFiles, volume }: WorkloadSpec): void {
  if (version.product !== "podman") return;
  if (volume === undefined && Object.keys(secretFiles).length === 0) return;
  throw new UnsupportedError({
    manager: MANAGER,
    what: "a workload with secrets or a volume on podman",
    hint: "use a Docker engine",
  });
}

function checkSupported({ program, ports }: WorkloadSpec): void {
  if (program.kind === "directory") {
    throw new UnsupportedError({
      manager: MANAGER,
      what: `the directory ${program.path}`,
      hint: "make an image of it, or use the local manager",
    });
  }
  for (const [index, { port }] of ports.entries()) {
    if (port > 0) continue;
    throw new InvalidArgumentError({
      argument: `ports[${index}].port`,
      value: port,
      expected: "1 … 65535: in a container's own network every port is free",
    });
  }
}
