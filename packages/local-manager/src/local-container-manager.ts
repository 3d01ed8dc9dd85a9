import { readdirSync, statSync } from "node:fs";
import {
  type CallOptions,
  type ClusterRef,
  type ContainerManager,
  type ContainerManagerCapabilities,
  type ContainerManagerOrigin,
  checkName,
  checkWorkloadSpec,
  InvalidArgumentError,
  isValidName,
  type LogLine,
  type LogQuery,
  NotFoundError,
  type PlatformFacts,
  type Reach,
  rejectOnAbort,
  UnsupportedError,
  type WorkloadSpec,
  type WorkloadStatus,
} from "@clipper-serving/spec";
import { builtFile } from "./built-file.js";
import { SupervisorClient } from "./client/supervisor-client.js";
import { clustersDirectory } from "./cluster-paths.js";
import {
  type LocalManagerOptions,
  type ResolvedLocalManagerOptions,
  resolveOptions,
} from "./local-options.js";
import { readLogs } from "./log-reader.js";
import { platformFacts } from "./platform-facts.js";
import { toWireSpec } from "./protocol.js";
import { MANAGER } from "./wire-error.js";

/** Runs workloads as plain processes of this machine, each cluster's under a supervisor that outlives whoever started it. */
export class LocalContainerManager implements ContainerManager {
  readonly specVersion = 1;
  readonly name = MANAGER;
  readonly capabilities: ContainerManagerCapabilities = {
    program: "directory",
    manyNodes: false,
    revives: false,
    volumes: true,
    gpus: false,
    logsOfExited: true,
  };
  readonly origin: ContainerManagerOrigin;
  readonly #options: ResolvedLocalManagerOptions;

  constructor(options: LocalManagerOptions = {}) {
    this.#options = resolveOptions(options, process.env);
    // Resolved: the next process may have another environment.
    this.origin = { module: builtFile("index.js").href, options: { ...this.#options } };
  }

  facts({ signal }: CallOptions = {}): Promise<PlatformFacts> {
    return rejectOnAbort(signal, () => platformFacts(signal));
  }

  clusters({ signal }: CallOptions = {}): Promise<readonly ClusterRef[]> {
    return rejectOnAbort(signal, async () =>
      entries(clustersDirectory(this.#options.home))
        .filter((name) => isValidName(name))
        .filter((name) => {
          const { hasWorkloads, paths } = new SupervisorClient(name, this.#options);
          return hasWorkloads || entries(paths.volumes).length > 0;
        })
        .map((name) => ({ name })),
    );
  }

  apply(cluster: ClusterRef, workload: WorkloadSpec, options: CallOptions = {}): Promise<void> {
    return rejectOnAbort(options.signal, async () => {
      const client = this.#client(cluster);
      checkWorkloadSpec(workload);
      checkSupported(workload);
      await client.call("apply", { spec: toWireSpec(workload) }, options);
    });
  }

  remove(
    cluster: ClusterRef,
    id: string,
    { volumes = false, ...options }: CallOptions & { readonly volumes?: boolean } = {},
  ): Promise<void> {
    return rejectOnAbort(options.signal, async () => {
      const client = this.#client(cluster);
      const isPurge = id === "all" && volumes;
      if (isPurge ? client.hasAnything : client.hasWorkloads) {
        await client.call("remove", { id, volumes: isPurge }, options);
      }
    });
  }

  list(cluster: ClusterRef, options: CallOptions = {}): Promise<readonly WorkloadStatus[]> {
    return rejectOnAbort(options.signal, async () => {
      const client = this.#client(cluster);
      return client.hasWorkloads ? await client.call("list", {}, options) : [];
    });
  }

  changes(cluster: ClusterRef, { signal }: CallOptions): AsyncIterable<void> {
    return this.#client(cluster).changes(signal);
  }

  /** Plain processes see each other as callers see them: `from` makes no difference. */
  reach(
    cluster: ClusterRef,
    to: { readonly id: string; readonly port: string },
    _from: "caller" | "cluster",
    options: CallOptions = {},
  ): Promise<Reach> {
    return rejectOnAbort(options.signal, async () => {
      const client = this.#client(cluster);
      if (!client.hasWorkloads) throw new NotFoundError({ kind: "workload", name: to.id });
      const addresses = await client.call("reach", to, options);
      // There is no tunnel to end.
      return { addresses, [Symbol.asyncDispose]: async () => undefined };
    });
  }

  logs(cluster: ClusterRef, query: LogQuery): AsyncIterable<LogLine> {
    return readLogs(this.#client(cluster).paths.logs, query);
  }

  /** Nothing is held between calls. */
  async [Symbol.asyncDispose](): Promise<void> {}

  #client({ name }: ClusterRef): SupervisorClient {
    return new SupervisorClient(checkName("cluster", name), this.#options);
  }
}

function checkSupported({ program, resources }: WorkloadSpec): void {
  const hint = "name a manager that can, such as docker";
  if (program.kind === "image")
    throw new UnsupportedError({ manager: MANAGER, what: `image ${program.ref}`, hint });
  if ((resources.gpus ?? 0) > 0)
    throw new UnsupportedError({ manager: MANAGER, what: "a program with GPUs of its own", hint });
  if (statSync(program.path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new InvalidArgumentError({
      argument: "program.path",
      value: program.path,
      expected: "a directory",
    });
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Nothing was ever started there.
    return [];
  }
}
