import {
  type CallOptions,
  type ClusterFile,
  ConflictError,
  type ContainerManagerOrigin,
  PortTakenError,
} from "@clipper-serving/spec";
import { createController } from "./cluster-controller.js";
import { stoppedCluster, unknownCluster, whyGone } from "./cluster-gone.js";
import type { ClusterParts, RunningCluster, StartOptions } from "./cluster-parts.js";
import {
  type ClusterSettings,
  type ResolvedClusterSettings,
  resolveClusterSettings,
} from "./cluster-settings.js";
import { applyWorkload, waitUntilReady } from "./cluster-workloads.js";
import { CONTROLLER, controllerWorkload, MANAGEMENT, QUERY, queryWorkload } from "./composition.js";
import { frontendPrograms } from "./frontend-programs.js";
import { REDIS } from "./managed-redis.js";
import { bringUpManagement, checkState } from "./management-start.js";
import { firstAddress, reachCluster, withManagement } from "./reach-cluster.js";
import { isStoreLost, recoverRecords } from "./recovery/cluster-records.js";
import { removeVersionImages, versionImagesOf } from "./removed-images.js";
import type { StateSettings } from "./state-settings.js";

/** Of management that is started only to remove its records. */
const LAST_START_TIMEOUT_MS = 15_000;
const REMOVE_ATTEMPTS = 3;

/**
 * Starts a cluster, or what is missing of it. A start that is called off, that the next one would fare no better than, or of which the platform took nothing, leaves what was there before:
 * nothing of a new cluster, and one that was stopped stays so. What else fails or is cut off can be looked at, and is finished by the next start.
 */
export async function startCluster(
  parts: ClusterParts,
  settings: ResolvedClusterSettings,
  options: StartOptions = {},
): Promise<RunningCluster> {
  await checkManager(parts);
  const before = await parts.home.readFile();
  try {
    return await bringUp(parts, settings, options);
  } catch (error) {
    const isFutile =
      PortTakenError.isInstance(error) ||
      options.signal?.aborted === true ||
      (await isEmptyHanded(parts, before));
    if (isFutile && before?.wanted !== "running") {
      const purge = before === undefined;
      await endCluster(parts, { purge, destroysWritten: false }).catch(() => {
        // The start's own error says more; the next start or stop finishes what is left.
      });
    }
    throw error;
  }
}

/** Makes again what is missing of a cluster that runs. @throws ClipperError when somebody has stopped or purged it meanwhile */
export async function putBackMissing(parts: ClusterParts, options: CallOptions): Promise<void> {
  const file = await parts.home.readFile();
  const settings = resolveClusterSettings(file?.settings as ClusterSettings | undefined);
  await bringUp(parts, settings, { ...options, onlyIfWanted: true });
}

/** Whether a new cluster has come to nothing that could be looked at, or finished. */
async function isEmptyHanded(
  { manager, cluster, home }: ClusterParts,
  before: ClusterFile | undefined,
): Promise<boolean> {
  try {
    if (before !== undefined || (await home.readFile()) === undefined) return false;
    return (await manager.list(cluster)).length === 0;
  } catch {
    // The platform is away; the start's own error says so, or why.
    return false;
  }
}

/** Makes the cluster's own workloads so: management first, then query frontend, controller, and the replicas that are remembered. Each step is idempotent. */
async function bringUp(
  parts: ClusterParts,
  settings: ResolvedClusterSettings,
  { acceptStateLoss = false, onlyIfWanted = false, ...options }: StartOptions & { onlyIfWanted?: boolean },
): Promise<RunningCluster> {
  const { manager, cluster, home, origin } = parts;
  const knownEpoch = (await home.readFile())?.epoch;
  await checkState(parts, settings);
  // Before anything is written: what the platform cannot run is not remembered.
  const frontends = await frontendPrograms(manager, settings, options);
  const gone = onlyIfWanted ? await whyGone(parts) : undefined;
  if (gone !== undefined) throw gone;
  const secrets = await home.ensureSecrets();
  await home.writeFile({
    formatVersion: 1,
    name: cluster.name,
    ...(origin === undefined ? {} : { manager: { ...origin, name: manager.name } }),
    settings: { ...settings },
    wanted: "running",
    ...(knownEpoch === undefined ? {} : { epoch: knownEpoch }),
  });
  await bringUpManagement(parts, { settings, secrets, program: frontends.management }, options);
  const managementAddress = await firstAddress(parts, MANAGEMENT.id, MANAGEMENT.port, "cluster", options);
  const rest = [
    queryWorkload(frontends.query, settings, secrets, managementAddress),
    ...(hasOwnController(parts) ? [controllerWorkload(parts.origin, secrets, managementAddress)] : []),
  ];
  for (const workload of rest) await applyWorkload(parts, workload, options);
  // A frontend that comes back waits for the replicas it knew before it says that it is ready: they are started meanwhile.
  const restored = await withManagement(parts, secrets, options, async (client) => {
    const found = await recoverRecords(parts, client, { ...options, acceptStateLoss });
    await createController({ manager, cluster, management: client, secrets }).runOnce(signalOf(options));
    return found;
  });
  for (const workload of rest) await waitUntilReady(parts, workload, options);
  return { ...(await reachCluster(parts, secrets, options)), restored };
}

/** What one manager runs and keeps another knows nothing of. @throws ConflictError `OTHER_MANAGER` */
async function checkManager({ manager, cluster, home }: ClusterParts): Promise<void> {
  const known = (await home.readFile())?.manager?.name;
  if (known === undefined || known === manager.name) return;
  throw new ConflictError({
    code: "OTHER_MANAGER",
    message: `cluster ${cluster.name} is kept by the manager ${known}, not ${manager.name}`,
    hint: "name another cluster, or purge this one first",
    facts: { cluster: cluster.name, manager: known },
  });
}

/**
 * Whether a controller runs beside the platform, as a process of the cluster. No container of ours holds an engine's socket: there, and where a
 * manager cannot be made again, whoever is connected controls.
 */
export function hasOwnController(
  parts: Pick<ClusterParts, "manager" | "origin">,
): parts is typeof parts & { readonly origin: ContainerManagerOrigin } {
  return parts.origin !== undefined && parts.manager.capabilities.program === "directory";
}

/**
 * @returns where a running cluster is; undefined when it should run and does not
 * @throws NotFoundError when this machine knows no such cluster; UnreachableError when it was stopped; StateLostError
 */
export async function findCluster(
  parts: ClusterParts,
  options: CallOptions = {},
): Promise<RunningCluster | undefined> {
  const [file, secrets] = await Promise.all([parts.home.readFile(), parts.home.readSecrets()]);
  if (file === undefined || secrets === undefined) throw unknownCluster(parts);
  if (file.wanted === "stopped") throw stoppedCluster(parts);
  const workloads = await parts.manager.list(parts.cluster, options);
  const runs = (id: string) =>
    workloads.some(
      (workload) => workload.id === id && workload.instances.some(({ state }) => state === "ready"),
    );
  if (!neededWorkloads(file).every(runs)) return undefined;
  try {
    // The platform may have started management again by itself, on a store that somebody emptied.
    const restored = await withManagement(parts, secrets, options, (management) =>
      recoverRecords(parts, management, options),
    );
    return { ...(await reachCluster(parts, secrets, options)), restored };
  } catch (error) {
    if (isStoreLost(error)) return undefined;
    throw error;
  }
}

/** @returns ids of the cluster's own workloads, replicas apart, of which the platform has nothing although they should run */
export async function missingWorkloads(
  { manager, cluster, home }: ClusterParts,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const file = await home.readFile();
  if (file?.wanted !== "running") return [];
  const workloads = await manager.list(cluster, options);
  const isThere = (id: string) =>
    workloads.some(
      (workload) => workload.id === id && workload.instances.some(({ state }) => state !== "exited"),
    );
  return neededWorkloads(file).filter((id) => !isThere(id));
}

function neededWorkloads(file: ClusterFile): readonly string[] {
  return [MANAGEMENT.id, QUERY.id, ...(managesRedis(file) ? [REDIS.id] : [])];
}

function signalOf({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal };
}

function stateOf(file: ClusterFile | undefined): StateSettings | undefined {
  return (file?.settings as ClusterSettings | undefined)?.state;
}

function managesRedis(file: ClusterFile | undefined): boolean {
  return stateOf(file)?.redis.managed === true;
}

/** Ends what runs: replicas and controller first, so that nobody puts back what is being removed. */
export function stopCluster(
  parts: ClusterParts,
  options: CallOptions & { readonly purge: boolean },
): Promise<void> {
  return endCluster(parts, { ...options, destroysWritten: true });
}

interface EndOptions extends CallOptions {
  readonly purge: boolean;
  /** Whether a purge takes records out of a Redis that were there already, for a new cluster to take up. */
  readonly destroysWritten: boolean;
}

async function endCluster(
  parts: ClusterParts,
  { purge, destroysWritten, ...options }: EndOptions,
): Promise<void> {
  const { manager, cluster, home } = parts;
  options.onProgress?.({ step: "cluster-stop", state: "started", message: `stopping ${cluster.name}` });
  const file = await home.readFile();
  if (file !== undefined) {
    const { epoch: _epoch, ...rest } = file;
    // What a purge that is cut off has removed already was not lost.
    await home.writeFile({ ...(purge ? rest : file), wanted: "stopped" });
  }
  await manager.remove(cluster, CONTROLLER.id, options);
  if (purge) await destroyRecords(parts, { file, destroysWritten }, options);
  // It may be writing still: what it writes to goes after it.
  if (managesRedis(file)) await manager.remove(cluster, MANAGEMENT.id, options);
  const images = purge ? await versionImagesOf(manager, cluster.name, options) : [];
  for (let attempt = 1; attempt <= REMOVE_ATTEMPTS; attempt += 1) {
    await manager.remove(cluster, "all", { ...options, volumes: purge });
    // Another process may have been starting replicas just now: with the frontends gone it starts no more.
    if ((await manager.list(cluster, options)).length === 0) break;
  }
  await removeVersionImages(manager, images, options);
  if (purge) await home.purge();
  options.onProgress?.({ step: "cluster-stop", state: "done", message: `${cluster.name} is stopped` });
}

async function runsManagement({ manager, cluster }: ClusterParts, options: CallOptions): Promise<boolean> {
  return (await manager.list(cluster, options)).some(({ id }) => id === MANAGEMENT.id);
}

/**
 * Takes the cluster's keys out of a Redis that it does not run. Management alone is let in there, and is started for this where it does not run. A
 * Redis that is away must not keep the rest from being removed: then it is said what is left.
 */
async function destroyRecords(
  parts: ClusterParts,
  { file, destroysWritten }: { readonly file: ClusterFile | undefined } & Pick<EndOptions, "destroysWritten">,
  options: CallOptions,
): Promise<void> {
  const redis = stateOf(file)?.redis;
  const secrets = await parts.home.readSecrets();
  if (redis === undefined || redis.managed === true || secrets === undefined) return;
  const step = "state-remove";
  try {
    if (!destroysWritten && !(await runsManagement(parts, options))) return;
    const settings = resolveClusterSettings(file?.settings as ClusterSettings);
    const { management: program } = await frontendPrograms(parts.manager, settings, options);
    const start = { settings, secrets, program, timeoutMs: LAST_START_TIMEOUT_MS };
    await bringUpManagement(parts, start, options);
    await withManagement(parts, secrets, options, async (management) => {
      if (!destroysWritten && (await management.cluster(options.signal)).head.revision > 0) return;
      await management.deleteCluster(options.signal);
      const message = `removed the keys ${redis.prefix}* from Redis`;
      options.onProgress?.({ step, state: "done", message });
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the keys ${redis.prefix}* are left in Redis: ${reason}`;
    options.onProgress?.({ step, state: "failed", message });
  }
}
