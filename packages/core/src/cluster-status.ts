import type {
  BatchFloor,
  ClusterView,
  InstanceStatus,
  ReplicaReport,
  WorkloadStatus,
} from "@clipper-serving/spec";

export type ReplicaState = "starting" | "serving" | "draining" | "failed";

export interface ReplicaStatus {
  readonly id: string;
  readonly state: ReplicaState;
  readonly restarts: number;
  /** Of its last run that ended, or null. */
  readonly exitCode: number | null;
  /** Whether its last run that ended was ended for want of memory. */
  readonly oomKilled: boolean;
  /** Why it is not serving, or null. */
  readonly reason: string | null;
}

export interface ModelStatus {
  readonly name: string;
  readonly version: string;
  readonly current: boolean;
  readonly replicas: readonly ReplicaStatus[];
  /** Latency of its function on batches of samples, measured when it was deployed; empty without a sample. */
  readonly floor: readonly BatchFloor[];
}

export interface ApplicationStatus {
  readonly name: string;
  readonly inputType: string;
  readonly defaultOutput: string;
  readonly sloMs: number;
  readonly linkedModels: readonly string[];
}

/** What runs, where, how: what `clipper status` shows. */
export interface ClusterStatus {
  readonly cluster: string;
  readonly manager: string;
  /** Base URLs. */
  readonly endpoints: { readonly query: string; readonly management: string };
  readonly applications: readonly ApplicationStatus[];
  readonly models: readonly ModelStatus[];
}

export interface StatusSources {
  readonly manager: string;
  readonly endpoints: ClusterStatus["endpoints"];
  readonly view: ClusterView;
  readonly workloads: readonly WorkloadStatus[];
}

/** Puts together what the records wish, what the platform runs and what the frontends see. */
export function clusterStatus({ manager, endpoints, view, workloads }: StatusSources): ClusterStatus {
  const reports = view.frontends.flatMap(({ replicas }) => replicas);
  const currentOf = new Map(view.models.map(({ name, currentVersion }) => [name, currentVersion]));
  return {
    cluster: view.cluster,
    manager,
    endpoints,
    applications: view.applications.map((application) => ({
      name: application.name,
      inputType: application.inputType,
      defaultOutput: application.defaultOutput,
      sloMs: application.latencySloMicros / 1_000,
      linkedModels: application.routes.map(({ model }) => model),
    })),
    models: view.versions.map(({ model, version, workload, floor = [] }) => ({
      name: model,
      version,
      current: currentOf.get(model) === version,
      replicas: replicasOf(workloads.find(({ id }) => id === workload)?.instances ?? [], reports),
      floor,
    })),
  };
}

function replicasOf(
  instances: readonly InstanceStatus[],
  reports: readonly ReplicaReport[],
): ReplicaStatus[] {
  return instances.map((instance) => {
    const report = reports.find(({ replicaId }) => replicaId === instance.id);
    return {
      id: instance.id,
      state: replicaState(instance, report),
      restarts: instance.restarts,
      exitCode: instance.exitCode ?? null,
      oomKilled: instance.oomKilled ?? false,
      reason:
        instance.reason ?? (report?.state === "suspect" ? "its batch hangs, or it is not heard of" : null),
    };
  });
}

/** A replica serves when a frontend says so; the platform alone knows why one does not. */
function replicaState(instance: InstanceStatus, report: ReplicaReport | undefined): ReplicaState {
  if (instance.state === "stopping" || report?.state === "draining") return "draining";
  if (instance.state === "failed" || instance.state === "exited") return "failed";
  return report?.state === "ready" ? "serving" : "starting";
}
