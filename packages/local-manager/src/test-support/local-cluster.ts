import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { InstanceStatus, WorkloadSpec } from "@clipper-serving/spec";
import { tinyHttpProgram } from "@clipper-serving/testing/container-manager";
import { readSupervisorFile } from "../client/supervisor-connection.js";
import { type ClusterPaths, clusterPaths } from "../cluster-paths.js";
import { LocalContainerManager } from "../local-container-manager.js";
import type { ProcessIdentity } from "../process-identity.js";

const PATIENCE_MS = 15_000;

/** One cluster in directories of its own, for tests of what only this manager does. */
export class LocalCluster {
  readonly name = "under-test";
  readonly root = mkdtempSync(join(tmpdir(), "lm-"));
  readonly options: { home: string; runtimeDirectory: string };
  readonly manager: LocalContainerManager;
  readonly paths: ClusterPaths;

  constructor({ runtimeDirectory = "run" } = {}) {
    this.options = { home: join(this.root, "home"), runtimeDirectory: join(this.root, runtimeDirectory) };
    this.manager = new LocalContainerManager(this.options);
    this.paths = clusterPaths(this.options, this.name);
  }

  spec(change: Partial<WorkloadSpec> = {}): WorkloadSpec {
    const { command, ...program } = tinyHttpProgram();
    return {
      id: "tiny",
      labels: {},
      program,
      command,
      env: {},
      secretFiles: {},
      instances: 1,
      ports: [{ name: "http", port: 0, outside: false }],
      ready: { http: "/ready", port: "http" },
      resources: {},
      graceMs: 2_000,
      ...change,
    };
  }

  /** Applies and waits until all are ready. */
  async run(change: Partial<WorkloadSpec> = {}): Promise<readonly InstanceStatus[]> {
    const spec = this.spec(change);
    await this.manager.apply(this, spec);
    return await until(async () => {
      const instances = await this.instances(spec.id);
      return (
        instances.length === spec.instances && instances.every(({ state }) => state === "ready") && instances
      );
    });
  }

  async instances(id = "tiny"): Promise<readonly InstanceStatus[]> {
    return (await this.manager.list(this)).find((workload) => workload.id === id)?.instances ?? [];
  }

  async addresses(id = "tiny"): Promise<readonly string[]> {
    return (await this.manager.reach(this, { id, port: "http" }, "caller")).addresses;
  }

  async texts(): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of this.manager.logs(this, {})) texts.push(text);
    return texts;
  }

  get supervisor(): ProcessIdentity | undefined {
    return readSupervisorFile(this.paths.supervisor);
  }

  /** As the kernel would when memory is short. */
  async killSupervisor(): Promise<void> {
    const { pid } = this.supervisor!;
    process.kill(pid, "SIGKILL");
    await until(async () => this.supervisor === undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager.remove(this, "all", { volumes: true });
    rmSync(this.root, { recursive: true });
  }
}

/** Looks again and again until there is an answer other than undefined or false. */
export async function until<Answer>(
  look: () => Promise<Answer | undefined | false>,
  patienceMs: number = PATIENCE_MS,
): Promise<Answer> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const answer = await look();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new RangeError(`not within ${patienceMs} ms: ${look}`);
    await wait(10);
  }
}
