import {
  type CallOptions,
  type ClusterRef,
  type ContainerManager,
  type InstanceStatus,
  ManagerError,
  type Reach,
  type WorkloadSpec,
  type WorkloadStatus,
  workloadDigest,
} from "@clipper-serving/spec";

interface Running {
  spec: WorkloadSpec;
  instances: InstanceStatus[];
}

/**
 * A platform in memory. `beforeCall` is asked before anything happens and `afterCall` before the caller is told, so that a test can make
 * a call fail without effect, fail with its effect, or never return.
 */
export class SimulatedPlatform implements ContainerManager {
  readonly specVersion = 1;
  readonly name = "simulated";
  readonly capabilities = {
    program: "directory",
    manyNodes: false,
    revives: false,
    volumes: false,
    gpus: false,
    logsOfExited: false,
  } as const;
  /** Every call made, in order. */
  readonly calls: string[] = [];
  beforeCall: (call: string) => void | Promise<void> = () => {};
  afterCall: (call: string) => void | Promise<void> = () => {};
  readonly #workloads = new Map<string, Running>();
  readonly #hints = new Set<() => void>();
  #instances = 0;

  async apply(_cluster: ClusterRef, spec: WorkloadSpec): Promise<void> {
    await this.#call(`apply ${spec.id}`, () => {
      const old = this.#workloads.get(spec.id);
      const isSame = old !== undefined && workloadDigest(old.spec) === workloadDigest(spec);
      const kept = isSame ? old.instances.slice(0, spec.instances) : [];
      const started = Array.from({ length: spec.instances - kept.length }, () => this.#start());
      this.#workloads.set(spec.id, { spec, instances: [...kept, ...started] });
    });
  }

  async remove(_cluster: ClusterRef, id: string): Promise<void> {
    await this.#call(`remove ${id}`, () => {
      this.#workloads.delete(id);
    });
  }

  async list(): Promise<readonly WorkloadStatus[]> {
    let listed: readonly WorkloadStatus[] = [];
    await this.#call("list", () => {
      listed = this.statuses();
    });
    return listed;
  }

  async *changes(_cluster: ClusterRef, { signal }: CallOptions): AsyncIterable<void> {
    while (!signal?.aborted) {
      await new Promise<void>((resolve) => {
        this.#hints.add(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
      yield;
    }
  }

  statuses(): readonly WorkloadStatus[] {
    return [...this.#workloads.values()].map(({ spec, instances }) => ({
      id: spec.id,
      labels: spec.labels,
      wanted: spec.instances,
      specDigest: workloadDigest(spec),
      instances: [...instances],
    }));
  }

  /** What somebody else runs here, put there without a call. */
  place(spec: WorkloadSpec): void {
    this.#workloads.set(spec.id, {
      spec,
      instances: Array.from({ length: spec.instances }, () => this.#start()),
    });
  }

  /** As a person would, with the platform's own tools. */
  removeInstanceByHand(id: string): void {
    this.#workloads.get(id)?.instances.pop();
  }

  hint(): void {
    for (const resolve of this.#hints) resolve();
    this.#hints.clear();
  }

  async facts() {
    return { platforms: [], pythons: [], gpus: 0, versions: {} };
  }

  async clusters(): Promise<readonly ClusterRef[]> {
    return [];
  }

  async reach(): Promise<Reach> {
    throw new ManagerError({ manager: this.name, message: "the simulation has no ports" });
  }

  async *logs(): AsyncIterable<never> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  async #call(call: string, effect: () => void): Promise<void> {
    this.calls.push(call);
    await this.beforeCall(call);
    effect();
    await this.afterCall(call);
  }

  #start(): InstanceStatus {
    this.#instances += 1;
    return { id: `i${this.#instances}`, state: "ready", restarts: 0 };
  }
}
