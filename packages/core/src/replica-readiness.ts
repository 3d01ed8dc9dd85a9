import {
  type CallOptions,
  DeployError,
  type DeployErrorCode,
  type InstanceStatus,
  type ModelVersion,
} from "@clipper-serving/spec";
import { tailOf } from "./cluster-lifecycle.js";
import type { ConnectedCluster } from "./connected-cluster.js";
import { pollUntil } from "./polling.js";

/** Exit statuses with which a replica says that starting it again is of no use. See the container runtime's README. */
const FINAL_EXIT_CODES: ReadonlySet<number> = new Set([3, 4, 5, 64]);
/** How often a replica that ends otherwise is started again before the deploy gives up. */
const RESTARTS_ALLOWED = 2;
/** Frontends are asked more often than the platform, whose answer costs more. */
const PLATFORM_EVERY = 4;

export interface WantedReplicas {
  readonly target: ModelVersion;
  readonly workload: string;
  readonly replicas: number;
}

/**
 * Waits until every live query frontend is connected to all replicas, or until the platform shows why that will not be.
 * @throws DeployError with the code the replica ended with, its exit code, OOM flag and last log lines; TimeoutError
 */
export async function waitForReplicas(
  cluster: ConnectedCluster,
  { target, workload, replicas }: WantedReplicas,
  { timeoutMs, signal, onProgress }: CallOptions & { readonly timeoutMs: number },
): Promise<void> {
  if (replicas === 0) return;
  let looks = 0;
  let connected = -1;
  await pollUntil(
    async () => {
      const seen = await connectedReplicas(cluster, target, signal);
      if (seen !== connected) {
        connected = seen;
        onProgress?.({
          step: "ready",
          state: seen >= replicas ? "done" : "advanced",
          message: `${seen} of ${replicas} replicas connected`,
          done: seen,
          total: replicas,
          unit: "replicas",
        });
      }
      if (seen >= replicas) return true;
      if (looks++ % PLATFORM_EVERY === 0) await checkPlatform(cluster, target, workload, signal);
      return undefined;
    },
    {
      what: `${replicas} replicas of ${target.model}:${target.version} being connected`,
      timeoutMs,
      everyMs: 25,
      signal,
      hint: "look at their logs with `clipper logs`; a slow model may need a larger readyTimeoutMs",
    },
  );
}

/** @returns how many replicas of `target` the frontend that sees fewest is connected to */
async function connectedReplicas(
  { management }: ConnectedCluster,
  { model, version }: ModelVersion,
  signal: AbortSignal | undefined,
): Promise<number> {
  const frontends = await management.frontends(signal);
  if (frontends.length === 0) return 0;
  return Math.min(
    ...frontends.map(
      ({ replicas }) =>
        replicas.filter(
          (replica) =>
            replica.model === model &&
            replica.version === version &&
            (replica.state === "ready" || replica.state === "parked"),
        ).length,
    ),
  );
}

async function checkPlatform(
  cluster: ConnectedCluster,
  { model, version }: ModelVersion,
  workload: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const status = (await cluster.manager.list(cluster.ref, signal === undefined ? {} : { signal })).find(
    ({ id }) => id === workload,
  );
  const ended = status?.instances.find(isLost);
  if (ended === undefined) return;
  const log = await tailOf({ manager: cluster.manager, cluster: cluster.ref }, workload);
  const told = lastWords(log);
  throw new DeployError({
    code: ended.oomKilled ? "OUT_OF_MEMORY" : (told?.code ?? "REPLICA_FAILED"),
    step: "ready",
    model,
    version,
    message:
      told?.message ?? ended.reason ?? `the replica ended with exit code ${ended.exitCode ?? "unknown"}`,
    hint: "the replica's last log lines are in facts.log",
    exitCode: ended.exitCode,
    oomKilled: ended.oomKilled,
    log,
  });
}

function isLost({ exitCode, restarts, oomKilled }: InstanceStatus): boolean {
  return FINAL_EXIT_CODES.has(exitCode ?? 0) || oomKilled === true || restarts > RESTARTS_ALLOWED;
}

/** The sentence a replica of ours writes last: `clipper-replica: CODE: why`. */
function lastWords(log: readonly string[]): { code: DeployErrorCode; message: string } | undefined {
  for (const line of log.toReversed()) {
    const match = /^clipper-replica: ([A-Z_]+): (.+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) return { code: match[1], message: match[2] };
  }
  return undefined;
}
