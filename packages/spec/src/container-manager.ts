import type { CallOptions } from "./call-options.js";
import type { ImageSink } from "./image.js";
import type { DiagnoseRequest, PlatformCheck } from "./platform-check.js";

/**
 * Runs workloads on a platform, and nothing more. It knows nothing of models, batching, RPC or state.
 *
 * Words. A *cluster* is a name; many live side by side on one platform and never see each other. A *workload* is one program with a
 * wanted count; an *instance* is one running copy of it. *The platform's truth* is what the platform itself says now, not what was asked for.
 *
 * Every call is scoped to the cluster's name, idempotent, and safe to repeat after a crash at any point: calling `apply` again with an equal spec
 * changes nothing, removing what is absent succeeds. Calls for different workloads may run at once; calls for the same workload are made one at a time.
 * No call keeps anything in memory that a later process would need: another process with the same options sees the same clusters.
 *
 * A flow. `apply(c, w)` returns once the platform has accepted the workload, with instances not yet running. `list(c)` then tells how they come up.
 * `apply` with a changed program starts new instances first and sends SIGTERM to the old ones when the new are ready. `apply` with another count
 * starts or stops the difference, newest first. Where old and new cannot run side by side (they share a volume, or an outside port that the platform
 * does not forward by itself), the old ones end first. `remove` sends SIGTERM, waits `graceMs`, and kills what is left.
 *
 * What exits is started again by the platform, with a growing delay. What a person removed is put back by whoever calls `apply` again.
 *
 * What each instance is told. Its environment holds what the spec's `env` says and the variables of {@link InstanceEnvironment}.
 *
 * Errors: `ManagerError` and its subclasses; `InvalidArgumentError` for a spec that cannot be right, before any side effect (see
 * {@link checkWorkloadSpec}).
 *
 * Implementations are named `XContainerManager`; a module that the command line can load exports `createContainerManager(options)`. The suite
 * `@clipper-serving/testing/container-manager` is the second half of this interface.
 */
export interface ContainerManager extends AsyncDisposable {
  readonly specVersion: 1;
  /** Short and stable: `local`, `docker`, `kubernetes`. */
  readonly name: string;
  readonly capabilities: ContainerManagerCapabilities;
  /**
   * How another process makes this manager again, so that `clipper status` finds the cluster and a controller beside the platform can act on it.
   * Absent: only this process can.
   */
  readonly origin?: ContainerManagerOrigin;
  /** What a build must match. */
  facts(options?: CallOptions): Promise<PlatformFacts>;
  /** Every cluster that has a workload or a volume on this platform. */
  clusters(options?: CallOptions): Promise<readonly ClusterRef[]>;
  apply(cluster: ClusterRef, workload: WorkloadSpec, options?: CallOptions): Promise<void>;
  /**
   * Resolves when nothing of it runs any more.
   * @param id of a workload, or `"all"`: everything of the cluster
   * @param options.volumes with `"all"`: remove the cluster's volumes and logs as well. Default: keep them
   */
  remove(
    cluster: ClusterRef,
    id: string | "all",
    options?: CallOptions & { readonly volumes?: boolean },
  ): Promise<void>;
  /** One entry per workload, those whose instances all ended included. Empty for a cluster that does not exist. */
  list(cluster: ClusterRef, options?: CallOptions): Promise<readonly WorkloadStatus[]>;
  /**
   * Yields when something may have changed, as a hint to `list` again. May miss changes; may yield for nothing. The signal ends the
   * iteration without an error.
   */
  changes?(cluster: ClusterRef, options: CallOptions): AsyncIterable<void>;
  /**
   * Where a port can be reached: one address for each running instance. Dispose of it to end a tunnel, where one was needed.
   * @param from `caller`: this process; `cluster`: a workload of the same cluster
   * @throws NotFoundError when there is no such workload or port
   */
  reach(
    cluster: ClusterRef,
    to: { readonly id: string; readonly port: string },
    from: "caller" | "cluster",
    options?: CallOptions,
  ): Promise<Reach>;
  /** Log lines of one workload's instances, each instance's in order, those of ended instances included where the platform keeps them. */
  logs(cluster: ClusterRef, query: LogQuery): AsyncIterable<LogLine>;
  /**
   * Looks at what commonly stands in the way of a cluster here: room, ports, images, whatever the platform can run out of. Changes nothing that stays, so
   * that it can be asked at any time. What is wrong is told in the checks; it rejects only as `facts` does, when the platform cannot be asked at all.
   */
  diagnose?(request: DiagnoseRequest, options?: CallOptions): Promise<readonly PlatformCheck[]>;
  /** Where images for this platform are put; absent where programs are directories, or a registry has to be named. */
  readonly images?: ImageSink;
}

export interface ContainerManagerOrigin {
  /** `file:` URL of a module that exports `createContainerManager`. */
  readonly module: string;
  /** What to call it with; JSON, and no secret. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface ContainerManagerCapabilities {
  readonly program: "image" | "directory";
  /** Instances may run on several machines, so that a path means nothing to another instance. */
  readonly manyNodes: boolean;
  /** Brings everything back by itself after the platform was restarted. */
  readonly revives: boolean;
  readonly volumes: boolean;
  readonly gpus: boolean;
  readonly logsOfExited: boolean;
}

/** A cluster, by name; DNS-1123, at most 63 characters. */
export interface ClusterRef {
  readonly name: string;
}

export interface PlatformFacts {
  /** Such as `linux/amd64`. */
  readonly platforms: readonly string[];
  /** Python interpreters the platform has itself, for directory programs; empty where images bring their own. */
  readonly pythons: readonly { readonly minor: string; readonly path: string }[];
  readonly gpus: number;
  /** For people: versions of engine and interface. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface WorkloadPort {
  /** DNS-1123 label, unique in the workload: `query`, `rpc`. */
  readonly name: string;
  /** Inside an image's network: the port to listen on. For directory programs 0 lets the platform choose. */
  readonly port: number;
  /** Reachable by callers outside the cluster, on loopback unless the manager's options say otherwise. */
  readonly outside: boolean;
  /** The exact port callers outside use. Taken: `PortTakenError`. Absent: a free one, kept for as long as the workload lives. */
  readonly pinned?: number;
}

/** What one instance needs, or may use at most. A platform that cannot hold an instance to it leaves it to the machine. */
export interface WorkloadResources {
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly gpus?: number;
  readonly scratch?: ScratchSpace;
}

/**
 * Where an instance writes what is lost when it ends: `/tmp` where programs are images, else the machine's own directory for such files. A platform may
 * keep it in memory, and count it as such.
 */
export interface ScratchSpace {
  /** Default: the platform's. */
  readonly bytes?: number;
  /** Whether programs and libraries there can be run. Default false. */
  readonly executable?: boolean;
}

export interface WorkloadSpec {
  /** Matches {@link WORKLOAD_ID_PATTERN}; unique in the cluster; derived by hash, not from a model's name. */
  readonly id: string;
  /** Given back by `list` unchanged, whatever the platform's own limits on labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly program:
    | { readonly kind: "image"; readonly ref: string; readonly digest?: string }
    | { readonly kind: "directory"; readonly path: string };
  /** Executable and arguments; no shell. Empty with an image: the image's own. */
  readonly command: readonly string[];
  /** Never a secret. */
  readonly env: Readonly<Record<string, string>>;
  /** Files for the instances' eyes only; never in env, argv, labels or logs. Names are plain file names. */
  readonly secretFiles: Readonly<Record<string, Uint8Array>>;
  /** 0 keeps the workload listed with nothing running. */
  readonly instances: number;
  readonly ports: readonly WorkloadPort[];
  /** When an instance counts as ready: `GET http` on the port answers 2xx, or as soon as it runs. */
  readonly ready: { readonly http: string; readonly port: string } | "running";
  /** Kept across restarts and `remove`, until `remove("all", { volumes: true })`. One instance only. */
  readonly volume?: { readonly name: string; readonly mountPath: string };
  readonly resources: WorkloadResources;
  /** From SIGTERM to SIGKILL, ms. */
  readonly graceMs: number;
  /** The platform's own extras, typed by its manager's package. */
  readonly overlay?: unknown;
}

/**
 * `starting`: on its way, or about to be · `running`: not ready yet, or no longer · `ready` · `stopping`: told to end · `failed`: it ended or could not start, and the
 * platform tries again after a growing delay · `exited`: it ended, and nobody starts it again until `apply`.
 */
export type InstanceState = "starting" | "running" | "ready" | "stopping" | "exited" | "failed";

export interface InstanceStatus {
  /** What the instance knows itself by (`CLIPPER_INSTANCE`); unique in the cluster, kept across its restarts. */
  readonly id: string;
  readonly state: InstanceState;
  /** Times the platform started it again. */
  readonly restarts: number;
  /** Of the last ended run; a death by signal n is 128 + n. */
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  /** Why it is not ready, as the platform says it; for people. */
  readonly reason?: string;
  /** When the current run started, ms since 1970. */
  readonly startedAtMs?: number;
  /** Of the machine's process where the platform has one; for people and tests. */
  readonly pid?: number;
}

export interface WorkloadStatus {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As last applied. */
  readonly wanted: number;
  /** Digest of the applied spec: equal for equal specs, whatever the order of keys. See {@link workloadDigest}. */
  readonly specDigest: string;
  readonly instances: readonly InstanceStatus[];
}

export interface Reach extends AsyncDisposable {
  /** `tcp:HOST:PORT` or `unix:/PATH`, one per running instance that has the port. */
  readonly addresses: readonly string[];
}

export interface LogQuery {
  /** A workload; absent: every one of the cluster. */
  readonly id?: string;
  readonly instance?: string;
  /** Goes on with new lines until the signal aborts, which ends the iteration without an error. Default false. */
  readonly follow?: boolean;
  /** At most this many of the latest lines of each instance first. Default: all that are kept. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  readonly workload: string;
  readonly instance: string;
  readonly stream: "stdout" | "stderr";
  /** Without its newline; bytes that are not UTF-8 are replaced. */
  readonly text: string;
  /** When it was written, ms since 1970, where the platform tells. */
  readonly timeMs?: number;
}

/** What a module that can be named to the command line, or in a cluster's file, exports. */
export interface ContainerManagerModule {
  createContainerManager(
    options: Readonly<Record<string, unknown>>,
  ): ContainerManager | Promise<ContainerManager>;
}
