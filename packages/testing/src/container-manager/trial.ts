import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type {
  ClusterRef,
  ContainerManager,
  InstanceStatus,
  LogLine,
  LogQuery,
  WorkloadPort,
  WorkloadSpec,
  WorkloadStatus,
} from "@clipper-serving/spec";
import { getJson } from "./get-json.js";
import type { SuiteProgram } from "./suite-options.js";

const LOOK_INTERVAL_MS = 20;
/** Where the program listens inside an image. */
const IMAGE_PORTS: Readonly<Record<string, number>> = { http: 8080, other: 8081 };

/** What the tiny program says of itself. */
export interface WhoAmI {
  readonly version: string;
  readonly pid: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** sha256 of each secret it can read, by file name. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface TrialOptions {
  readonly factory: () => ContainerManager | Promise<ContainerManager>;
  readonly program: SuiteProgram;
  readonly patienceMs: number;
}

/** One test's clusters and manager, with what tests do again and again. */
export class Trial {
  readonly manager: ContainerManager;
  readonly cluster: ClusterRef;
  readonly options: TrialOptions;
  readonly #clusters: ClusterRef[] = [];
  readonly #managers: ContainerManager[] = [];
  #end: Promise<void> | undefined;

  constructor(manager: ContainerManager, options: TrialOptions) {
    this.manager = manager;
    this.options = options;
    this.#managers.push(manager);
    this.cluster = this.newCluster();
  }

  /** A cluster that is this test's alone, removed at its end. */
  newCluster(): ClusterRef {
    const cluster = { name: `suite-${randomBytes(5).toString("hex")}` };
    this.#clusters.push(cluster);
    return cluster;
  }

  /** Another object, as another process with the same options would have it. */
  async newManager(): Promise<ContainerManager> {
    const manager = await this.options.factory();
    this.#managers.push(manager);
    return manager;
  }

  /** A spec that is right and small; `change` says what the test is about. */
  spec(change: Partial<WorkloadSpec> = {}): WorkloadSpec {
    const { command, ...program } = this.options.program;
    return {
      id: "tiny",
      labels: {},
      program,
      command,
      env: {},
      secretFiles: {},
      instances: 1,
      ports: [this.port("http")],
      ready: { http: "/ready", port: "http" },
      resources: {},
      graceMs: 3_000,
      ...change,
    };
  }

  port(name: "http" | "other", change: Partial<WorkloadPort> = {}): WorkloadPort {
    const port = this.options.program.kind === "image" ? IMAGE_PORTS[name]! : 0;
    return { name, port, outside: true, ...change };
  }

  /** Applies, and waits until all that is wanted is ready, and nothing else is left. */
  async run(change: Partial<WorkloadSpec> = {}, cluster = this.cluster): Promise<WorkloadStatus> {
    const spec = this.spec(change);
    await this.manager.apply(cluster, spec);
    return await this.settled(spec.id, cluster);
  }

  /** Waits until the workload's instances are as many as wanted, and ready. */
  settled(id = "tiny", cluster = this.cluster): Promise<WorkloadStatus> {
    return this.until(`${id} is ready`, async () => {
      const status = await this.status(id, cluster);
      const living = livingOf(status);
      return living.length === status.wanted && living.every(({ state }) => state === "ready")
        ? status
        : undefined;
    });
  }

  async status(id = "tiny", cluster = this.cluster): Promise<WorkloadStatus> {
    const found = (await this.manager.list(cluster)).find((status) => status.id === id);
    assert.ok(found, `${id} is listed`);
    return found;
  }

  /** The only instance of a workload. */
  async instance(id = "tiny"): Promise<InstanceStatus> {
    const { instances } = await this.status(id);
    assert.equal(instances.length, 1, `${id} has one instance: ${JSON.stringify(instances)}`);
    return instances[0]!;
  }

  async addresses(id = "tiny", port = "http", cluster = this.cluster): Promise<readonly string[]> {
    const reach = await this.manager.reach(cluster, { id, port }, "caller");
    await reach[Symbol.asyncDispose]();
    return reach.addresses;
  }

  /** Asks the first instance that can be reached. */
  async ask<Answer = Record<string, unknown>>(
    path: string,
    id = "tiny",
    cluster = this.cluster,
  ): Promise<Answer> {
    await using reach = await this.manager.reach(cluster, { id, port: "http" }, "caller");
    const [address] = reach.addresses;
    assert.ok(address, `an instance of ${id} can be reached`);
    return await getJson<Answer>(address, path);
  }

  whoAmI(id = "tiny", cluster = this.cluster): Promise<WhoAmI> {
    return this.ask<WhoAmI>("/whoami", id, cluster);
  }

  async logs(query: LogQuery = {}, cluster = this.cluster): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of this.manager.logs(cluster, query)) lines.push(line);
    return lines;
  }

  async texts(query: LogQuery = {}): Promise<string[]> {
    return (await this.logs(query)).map(({ text }) => text);
  }

  /** Looks again and again until there is an answer other than undefined or false. */
  async until<Answer>(
    what: string,
    look: () => Promise<Answer | undefined | false>,
    patienceMs = this.options.patienceMs,
  ): Promise<Answer> {
    const end = performance.now() + patienceMs;
    let last: unknown;
    while (performance.now() < end) {
      try {
        const answer = await look();
        if (answer !== undefined && answer !== false) return answer;
        last = undefined;
      } catch (error) {
        // Not yet; told below should it stay so.
        last = error;
      }
      await wait(LOOK_INTERVAL_MS);
    }
    const now = await this.manager.list(this.cluster);
    throw new assert.AssertionError({
      message: `${what}: not within ${patienceMs} ms${last === undefined ? "" : `: ${last}`}; now ${JSON.stringify(now)}`,
    });
  }

  /** Removes all this test made. May be called twice. */
  end(): Promise<void> {
    this.#end ??= this.#removeAll();
    return this.#end;
  }

  async #removeAll(): Promise<void> {
    await Promise.all(
      this.#clusters.map((cluster) => this.manager.remove(cluster, "all", { volumes: true })),
    );
    const left = (await this.manager.clusters()).filter(({ name }) =>
      this.#clusters.some((c) => c.name === name),
    );
    await Promise.all(this.#managers.map((manager) => manager[Symbol.asyncDispose]()));
    assert.deepEqual(left, [], "nothing is left of the test's clusters");
  }
}

/** Instances that run, or are to run again. */
function livingOf({ instances, wanted }: WorkloadStatus): readonly InstanceStatus[] {
  return wanted === 0 ? instances.filter(({ state }) => state !== "exited" && state !== "failed") : instances;
}

export function idsOf({ instances }: WorkloadStatus): string[] {
  return instances.map(({ id }) => id).sort();
}
