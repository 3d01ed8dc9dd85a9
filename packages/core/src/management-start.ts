import { type CallOptions, TimeoutError } from "@clipper-serving/spec";
import type { ClusterParts } from "./cluster-parts.js";
import type { ClusterSecrets } from "./cluster-secrets.js";
import type { ResolvedClusterSettings } from "./cluster-settings.js";
import { applyWorkload, READY_TIMEOUT_MS, tailOf, waitUntilReady } from "./cluster-workloads.js";
import { type FrontendProgram, managementWorkload } from "./composition.js";
import { checkCanManageRedis, managedRedisUrl, REDIS, redisWorkload } from "./managed-redis.js";
import { firstAddress } from "./reach-cluster.js";
import { endInstances, hasLostStore } from "./recovery/cluster-records.js";
import { redisUrlSecret } from "./state-settings.js";

/** Before any side effect. @throws UnsupportedError, RefusedError, InvalidArgumentError */
export async function checkState(
  { manager }: ClusterParts,
  { state }: ResolvedClusterSettings,
): Promise<void> {
  if (state?.redis.managed === true) checkCanManageRedis(manager);
  else if (state !== undefined) await redisUrlSecret(state.redis);
}

export interface ManagementStart {
  readonly settings: ResolvedClusterSettings;
  readonly secrets: ClusterSecrets;
  readonly program: FrontendProgram;
  readonly timeoutMs?: number;
}

/** With what keeps its records, where that is a workload of the cluster. */
export async function bringUpManagement(
  parts: ClusterParts,
  { settings, secrets, program, timeoutMs = READY_TIMEOUT_MS }: ManagementStart,
  options: CallOptions,
): Promise<void> {
  const redisUrl = await redisUrlOf(parts, settings, options);
  const management = managementWorkload(program, settings, { ...secrets, redisUrl });
  if (await hasLostStore(parts, secrets, options)) await endInstances(parts, management, options);
  await applyWorkload(parts, management, options);
  try {
    await waitUntilReady(parts, management, { ...options, timeoutMs });
  } catch (error) {
    throw (settings.state?.redis.managed && (await whyNoRedis(parts, error, options))) || error;
  }
}

/** Management that waits for a Redis in vain says no more than that. */
async function whyNoRedis(
  parts: ClusterParts,
  cause: unknown,
  options: CallOptions,
): Promise<TimeoutError | undefined> {
  if (!TimeoutError.isInstance(cause)) return undefined;
  const workload = (await parts.manager.list(parts.cluster, options)).find(({ id }) => id === REDIS.id);
  const failed = workload?.instances.find(({ state, restarts }) => state !== "ready" || restarts > 0);
  if (failed === undefined) return undefined;
  return new TimeoutError({
    what: `${REDIS.id} running on (${failed.reason ?? `${failed.restarts} restarts`})`,
    timeoutMs: Number(cause.facts.timeoutMs),
    hint: "read its log; its image needs a shell and redis-server 7 or later",
    facts: { workload: REDIS.id, log: await tailOf(parts, REDIS.id) },
    cause,
  });
}

async function redisUrlOf(
  parts: ClusterParts,
  settings: ResolvedClusterSettings,
  options: CallOptions,
): Promise<Uint8Array | undefined> {
  const redis = settings.state?.redis;
  if (redis === undefined) return undefined;
  return redis.managed === true ? bringUpRedis(parts, settings, options) : redisUrlSecret(redis);
}

/** @returns where management finds it */
async function bringUpRedis(
  parts: ClusterParts,
  settings: ResolvedClusterSettings,
  options: CallOptions,
): Promise<Uint8Array> {
  const password = await parts.home.ensureRedisPassword();
  const redis = redisWorkload(settings, password);
  await applyWorkload(parts, redis, options);
  await waitUntilReady(parts, redis, options);
  return managedRedisUrl(await firstAddress(parts, REDIS.id, REDIS.port, "cluster", options), password);
}
