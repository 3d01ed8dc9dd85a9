import { EventEmitter } from "node:events";
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NotFoundError, type WorkloadSpec, type WorkloadStatus } from "@clipper-serving/spec";
import type { ClusterPaths } from "../cluster-paths.js";
import { readJsonFile, UNFINISHED_SUFFIX } from "../json-file.js";
import { baseEnvironment } from "./base-environment.js";
import { endLeftovers } from "./leftovers.js";
import { pruneLogs } from "./prune-logs.js";
import { report } from "./report.js";
import { SecretStore } from "./secret-store.js";
import { SocketNames } from "./socket-names.js";
import { Workload, type WorkloadSurroundings } from "./workload.js";
import { parseWorkloadRecord, type WorkloadRecord } from "./workload-record.js";

export interface SupervisorOptions {
  readonly cluster: string;
  readonly paths: ClusterPaths;
}

/** The workloads of one cluster. Calls for one workload are done one after the other. Emits `change`. */
export class Supervisor extends EventEmitter<{ change: [] }> {
  readonly #options: SupervisorOptions;
  readonly #workloads = new Map<string, Workload>();
  readonly #surroundings: WorkloadSurroundings;
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(options: SupervisorOptions) {
    super();
    this.setMaxListeners(0);
    this.#options = options;
    this.#surroundings = {
      ...options,
      sockets: new SocketNames(options.paths.sockets),
      secrets: new SecretStore(options.paths.secrets),
      environment: baseEnvironment(process.env),
      onChange: () => this.emit("change"),
    };
  }

  /** Ends what an earlier supervisor left running, and learns what it knew. */
  async start(): Promise<void> {
    const { paths } = this.#options;
    for (const directory of [paths.workloads, paths.sockets, paths.secrets]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
    const records = this.#readRecords();
    const leftovers = records.flatMap(({ processes }) => processes);
    await endLeftovers(leftovers, { cluster: this.#options.cluster });
    for (const directory of [paths.sockets, paths.secrets]) {
      for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
    }
    for (const record of records)
      this.#workloads.set(record.spec.id, Workload.asleep(record, this.#surroundings));
    this.#pruneLogs();
  }

  get isEmpty(): boolean {
    return this.#workloads.size === 0;
  }

  apply(spec: WorkloadSpec): Promise<void> {
    return this.#inTurn(spec.id, async () => {
      const known = this.#workloads.get(spec.id);
      const workload = known ?? new Workload(spec.id, this.#surroundings);
      await workload.apply(spec, this.#portsOfOthers(spec.id));
      this.#workloads.set(spec.id, workload);
    });
  }

  async remove(id: string, options: { volumes: boolean }): Promise<void> {
    if (id !== "all") return await this.#remove(id);
    await Promise.all(
      [...new Set([...this.#workloads.keys(), ...this.#queues.keys()])].map((each) => this.#remove(each)),
    );
    if (!options.volumes) return;
    const { volumes, logs, unreadable } = this.#options.paths;
    for (const path of [volumes, logs, unreadable]) rmSync(path, { recursive: true, force: true });
  }

  list(): WorkloadStatus[] {
    return [...this.#workloads.values()].map((workload) => workload.status());
  }

  reach(id: string, port: string): string[] {
    const workload = this.#workloads.get(id);
    if (workload === undefined) throw new NotFoundError({ kind: "workload", name: id });
    return workload.reach(port);
  }

  /** Ends what runs, as when the machine is shut down; the next supervisor knows what there was. */
  async stop(): Promise<void> {
    await Promise.all([...this.#workloads.values()].map((workload) => workload.stop()));
  }

  #remove(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      const workload = this.#workloads.get(id);
      if (workload === undefined) return;
      await workload.remove();
      this.#workloads.delete(id);
      this.#pruneLogs();
      this.emit("change");
    });
  }

  #inTurn<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#queues.get(id) ?? Promise.resolve();
    // A failure is told to whoever asked for that work, not to the next.
    const turn = before.then(work, work);
    this.#queues.set(id, turn);
    const leave = (): void => {
      if (this.#queues.get(id) === turn) this.#queues.delete(id);
    };
    turn.then(leave, leave);
    return turn;
  }

  #portsOfOthers(id: string): Map<number, string> {
    const holder = (workload: string): string => `workload ${workload} of cluster ${this.#options.cluster}`;
    return new Map(
      [...this.#workloads.values()]
        .filter((workload) => workload.id !== id)
        .flatMap((workload) => workload.ports.map((port): [number, string] => [port, holder(workload.id)])),
    );
  }

  #pruneLogs(): void {
    const living = new Set(
      [...this.#workloads.values()].flatMap((w) => w.status().instances.map(({ id }) => id)),
    );
    pruneLogs(this.#options.paths.logs, (instance) => living.has(instance));
  }

  #readRecords(): WorkloadRecord[] {
    const { workloads, unreadable } = this.#options.paths;
    return readdirSync(workloads).flatMap((file) => {
      const path = join(workloads, file);
      if (file.endsWith(UNFINISHED_SUFFIX)) {
        rmSync(path, { recursive: true });
        return [];
      }
      const record = file.endsWith(".json") ? parseWorkloadRecord(readJsonFile(path)) : undefined;
      if (record !== undefined) return [record];
      report(`${path} is no workload's record: put aside`);
      // The latest is kept.
      rmSync(unreadable, { recursive: true, force: true });
      renameSync(path, unreadable);
      return [];
    });
  }
}
