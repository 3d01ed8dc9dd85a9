import {
  type CallOptions,
  type DeployErrorCode,
  type InstanceStatus,
  type ModelVersion,
  ReplicaError,
  TimeoutError,
} from "@clipper-serving/spec";
import { tailOf } from "./cluster-workloads.js";
import type { ConnectedCluster } from "./connected-cluster.js";
import { pollUntil } from "./polling.js";

/** Exit statuses with which a replica says that starting it again is of no use (see the container runtime's README), or a platform that it cannot be started. */
const FINAL_EXIT_CODES: ReadonlySet<number> = new Set([3, 4, 5, 64, 126, 127, 128]);
/** How often a replica that ends otherwise is started again before the deploy gives up. */
const RESTARTS_ALLOWED = 2;
/** Frontends are asked more often than the platform, whose answer costs more. */
const PLATFORM_EVERY = 4;

export interface WantedReplicas {
  readonly target: ModelVersion;
  /** For errors: `scaling m:1 to 3 replicas`. */
  readonly purpose: string;
  readonly workload: string;
  readonly replicas: number;
  /** How often each instance had been started again before, by its id: what it went through then is not held against it. Default: a workload's first instances. */
  readonly restartsBefore?: ReadonlyMap<string, number>;
}

/** @returns how often each of the workload's instances has been started again, by its id */
export async function restartsOf(
  cluster: Pick<ConnectedCluster, "manager" | "ref">,
  workload: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const instances = await instancesOf(cluster, workload, signal);
  return new Map(instances.map(({ id, restarts }) => [id, restarts]));
}

/**
 * Waits until every live query frontend is connected to exactly these replicas, or until the platform shows why that will not be.
 * @throws ReplicaError with the code the replica ended with, its exit code, OOM flag and last log lines; `REPLICA_NOT_READY` after `timeoutMs`
 */
export async function waitForReplicas(
  cluster: ConnectedCluster,
  wanted: WantedReplicas,
  { timeoutMs, signal, onProgress }: CallOptions & { readonly timeoutMs: number },
): Promise<void> {
  const { target, purpose, workload, replicas } = wanted;
  let looks = 0;
  let reasons: readonly string[] = [];
  let told = -1;
  const tell = (seen: number) => {
    if (seen === told) return;
    told = seen;
    onProgress?.({
      step: "ready",
      state: seen === replicas ? "done" : "advanced",
      message: `${seen} of ${replicas} replicas connected`,
      done: seen,
      total: replicas,
      unit: "replicas",
    });
  };
  await pollUntil(
    async () => {
      const connected = await connectedReplicas(cluster, target, signal);
      // Which of them are this workload's only the platform knows: another one may run the same version.
      const mayBeAll = connected.every((ids) => ids.size >= replicas);
      if (!mayBeAll && looks++ % PLATFORM_EVERY !== 0) return undefined;
      const instances = await instancesOf(cluster, workload, signal);
      reasons = instances.flatMap(({ id, reason }) => (reason === undefined ? [] : [`${id}: ${reason}`]));
      const seen = Math.min(...connected.map((ids) => instances.filter(({ id }) => ids.has(id)).length));
      tell(seen);
      // What is ending is no longer connected, and still runs.
      if (seen === replicas && instances.length === replicas) return true;
      await checkInstances(cluster, wanted, instances);
      return undefined;
    },
    {
      what: `${replicas} replicas of ${target.model}:${target.version} being connected`,
      timeoutMs,
      everyMs: 25,
      signal,
    },
  ).catch((error: unknown) => {
    if (!TimeoutError.isInstance(error)) throw error;
    throw new ReplicaError({
      ...target,
      code: "REPLICA_NOT_READY",
      purpose,
      reason: [error.message, ...reasons].join("; "),
      hint: "look at their logs with `clipper logs`; a slow model may need a larger readyTimeoutMs",
      facts: error.facts,
      cause: error,
    });
  });
}

/** @returns for each live frontend the ids of the version's replicas that it is connected to; one empty set when no frontend lives */
async function connectedReplicas(
  { management }: ConnectedCluster,
  { model, version }: ModelVersion,
  signal: AbortSignal | undefined,
): Promise<readonly ReadonlySet<string>[]> {
  const frontends = await management.frontends(signal);
  if (frontends.length === 0) return [new Set()];
  return frontends.map(
    ({ replicas }) =>
      new Set(
        replicas
          .filter(
            (replica) =>
              replica.model === model &&
              replica.version === version &&
              (replica.state === "ready" || replica.state === "parked"),
          )
          .map(({ replicaId }) => replicaId),
      ),
  );
}

async function instancesOf(
  { manager, ref }: Pick<ConnectedCluster, "manager" | "ref">,
  workload: string,
  signal: AbortSignal | undefined,
): Promise<readonly InstanceStatus[]> {
  const workloads = await manager.list(ref, signal === undefined ? {} : { signal });
  return workloads.find(({ id }) => id === workload)?.instances ?? [];
}

async function checkInstances(
  cluster: ConnectedCluster,
  { target, purpose, workload, restartsBefore }: WantedReplicas,
  instances: readonly InstanceStatus[],
): Promise<void> {
  const lost = instances.find((instance) => isLost(instance, restartsBefore?.get(instance.id)));
  if (lost === undefined) return;
  const log = await tailOf({ manager: cluster.manager, cluster: cluster.ref }, workload);
  const told = lastWords(log);
  throw new ReplicaError({
    ...target,
    code: lost.oomKilled ? "OUT_OF_MEMORY" : (told?.code ?? "REPLICA_FAILED"),
    purpose,
    reason: told?.message ?? lost.reason ?? `the replica ended with exit code ${lost.exitCode ?? "unknown"}`,
    hint: "the replica's last log lines are in facts.log",
    exitCode: lost.exitCode,
    oomKilled: lost.oomKilled,
    log,
  });
}

/** @param restartsBefore undefined for an instance that was not there before */
function isLost(
  { state, exitCode, restarts, oomKilled }: InstanceStatus,
  restartsBefore: number | undefined,
): boolean {
  const restartsSince = restarts - (restartsBefore ?? 0);
  const hasEnded = restartsBefore === undefined || restartsSince > 0 || state === "failed";
  return (
    restartsSince > RESTARTS_ALLOWED ||
    (hasEnded && (FINAL_EXIT_CODES.has(exitCode ?? 0) || oomKilled === true))
  );
}

/** The sentence a replica of ours writes last: `clipper-replica: CODE: why`. */
function lastWords(log: readonly string[]): { code: DeployErrorCode; message: string } | undefined {
  for (const line of log.toReversed()) {
    const match = /^clipper-replica: ([A-Z_]+): (.+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) return { code: match[1], message: match[2] };
  }
  return undefined;
}
