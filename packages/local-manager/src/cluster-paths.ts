import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ResolvedLocalManagerOptions } from "./local-options.js";

/** Where one cluster's things lie. */
export interface ClusterPaths {
  /** In the home: outlives processes. */
  readonly directory: string;
  readonly workloads: string;
  readonly volumes: string;
  readonly logs: string;
  /** Held by the cluster's supervisor for as long as it lives. */
  readonly lock: string;
  /** Tells where the supervisor listens. */
  readonly supervisor: string;
  readonly supervisorLog: string;
  /** A workload's record that could not be read, for people to look at. */
  readonly unreadable: string;
  /** In the runtime directory: sockets and secrets. Short, and the same each time for one home and cluster. */
  readonly runtimeRoot: string;
  readonly runtime: string;
  readonly sockets: string;
  readonly secrets: string;
}

/** The directory of all clusters of a home. */
export function clustersDirectory(home: string): string {
  return join(home, "local");
}

export function clusterPaths(options: ResolvedLocalManagerOptions, cluster: string): ClusterPaths {
  const directory = join(clustersDirectory(options.home), cluster);
  const runtime = join(options.runtimeDirectory, shortHash(`${options.home}\0${cluster}`, 10));
  return {
    directory,
    workloads: join(directory, "workloads"),
    volumes: join(directory, "volumes"),
    logs: join(directory, "logs"),
    lock: join(directory, "supervisor.lock"),
    supervisor: join(directory, "supervisor.json"),
    supervisorLog: join(directory, "supervisor.log"),
    unreadable: join(directory, "unreadable"),
    runtimeRoot: options.runtimeDirectory,
    runtime,
    sockets: join(runtime, "s"),
    secrets: join(runtime, "secrets"),
  };
}

export function shortHash(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}
