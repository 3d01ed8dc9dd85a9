import {
  type CallOptions,
  type ClusterFile,
  ConflictError,
  type ContainerManager,
  type ContainerManagerOrigin,
  type ImageSink,
  NotFoundError,
  PortTakenError,
  TimeoutError,
  UnreachableError,
  UnsupportedError,
  type WorkloadSpec,
} from "@clipper-serving/spec";
import { createController } from "./cluster-controller.js";
import type { ClusterParts, RunningCluster, StartOptions } from "./cluster-parts.js";
import type { ClusterSettings, ResolvedClusterSettings } from "./cluster-settings.js";
import {
  CONTROLLER,
  controllerWorkload,
  directoryFrontends,
  type FrontendPrograms,
  MANAGEMENT,
  managementWorkload,
  QUERY,
  queryWorkload,
} from "./composition.js";
import { imageFrontends } from "./image-composition.js";
import { pollUntil } from "./polling.js";
import { firstAddress, reachCluster, withManagement } from "./reach-cluster.js";
import { endInstances, hasLostStore, isStoreLost, recoverRecords } from "./recovery/cluster-records.js";
import { removeVersionImages, versionImagesOf } from "./removed-images.js";
import { redisUrlSecret } from "./state-settings.js";

const READY_TIMEOUT_MS = 30_000;
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
      await stopCluster(parts, { purge: before === undefined }).catch(() => {
        // The start's own error says more; the next start or stop finishes what is left.
      });
    }
    throw error;
  }
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
  { acceptStateLoss = false, ...options }: StartOptions,
): Promise<RunningCluster> {
  const { manager, cluster, home, origin } = parts;
  const knownEpoch = (await home.readFile())?.epoch;
  const redisUrl = settings.state === undefined ? undefined : await redisUrlSecret(settings.state);
  // Before anything is written: what the platform cannot run is not remembered.
  const frontends = await frontendPrograms(manager, settings, options);
  const secrets = await home.ensureSecrets();
  await home.writeFile({
    formatVersion: 1,
    name: cluster.name,
    ...(origin === undefined ? {} : { manager: { ...origin, name: manager.name } }),
    settings: { ...settings },
    wanted: "running",
    ...(knownEpoch === undefined ? {} : { epoch: knownEpoch }),
  });
  const management = managementWorkload(frontends.management, settings, { ...secrets, redisUrl });
  if (await hasLostStore(parts, secrets, options)) await endInstances(parts, management, options);
  await applyWorkload(parts, management, options);
  await waitUntilReady(parts, management, options);
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

async function frontendPrograms(
  manager: ContainerManager,
  { images, clipperRest }: ResolvedClusterSettings,
  options: CallOptions,
): Promise<FrontendPrograms> {
  if (manager.capabilities.program === "directory") return directoryFrontends;
  if (clipperRest) {
    throw new UnsupportedError({
      manager: manager.name,
      what: "Clipper's REST interface without authentication, in a container's network",
      hint: "leave clipperRest off: its routes answer to the token there",
    });
  }
  const { sink, platform } = await imagePlatform(manager, options);
  return imageFrontends({ sink, images, platform }, options);
}

/** @throws UnsupportedError where programs are images and the manager has nowhere to put them */
export async function imagePlatform(
  manager: ContainerManager,
  options: CallOptions,
): Promise<{ readonly sink: ImageSink; readonly platform: string }> {
  if (manager.capabilities.program === "directory") {
    throw new UnsupportedError({
      manager: manager.name,
      what: "images: its programs are directories of this machine",
      hint: "name a manager that does: --manager docker",
    });
  }
  const [platform] = (await manager.facts(options)).platforms;
  if (manager.images === undefined || platform === undefined) {
    throw new UnsupportedError({
      manager: manager.name,
      what: "images, because it says of no place to put them",
      hint: "give it a registry",
    });
  }
  return { sink: manager.images, platform };
}

/**
 * @returns where a running cluster is; undefined when it should run and does not
 * @throws NotFoundError when this machine knows no such cluster; UnreachableError when it was stopped; StateLostError
 */
export async function findCluster(
  parts: ClusterParts,
  options: CallOptions = {},
): Promise<RunningCluster | undefined> {
  const name = parts.cluster.name;
  const hint = "start it with start() or `clipper up`";
  const [file, secrets] = await Promise.all([parts.home.readFile(), parts.home.readSecrets()]);
  if (file === undefined || secrets === undefined) throw new NotFoundError({ kind: "cluster", name, hint });
  if (file.wanted === "stopped") {
    throw new UnreachableError({ code: "CLUSTER_STOPPED", what: `cluster ${name}, which is stopped,`, hint });
  }
  const workloads = await parts.manager.list(parts.cluster, options);
  const runs = (id: string) =>
    workloads.some(
      (workload) => workload.id === id && workload.instances.some(({ state }) => state === "ready"),
    );
  if (!runs(MANAGEMENT.id) || !runs(QUERY.id)) return undefined;
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

async function applyWorkload(
  { manager, cluster }: ClusterParts,
  spec: WorkloadSpec,
  options: CallOptions,
): Promise<void> {
  options.onProgress?.({ step: `${spec.id}-start`, state: "started", message: `starting ${spec.id}` });
  await manager.apply(cluster, spec, options);
}

function signalOf({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal };
}

async function waitUntilReady(parts: ClusterParts, spec: WorkloadSpec, options: CallOptions): Promise<void> {
  const { manager, cluster } = parts;
  const step = `${spec.id}-start`;
  let last = "";
  try {
    await pollUntil(
      async () => {
        const workload = (await manager.list(cluster, options)).find(({ id }) => id === spec.id);
        last = (workload?.instances ?? []).map(({ state, reason }) => reason ?? state).join("; ");
        const settled = spec.ready === "running" ? ["running", "ready"] : ["ready"];
        return workload?.instances.some(({ state }) => settled.includes(state)) || undefined;
      },
      { what: `${spec.id} being ready`, timeoutMs: READY_TIMEOUT_MS, everyMs: 30, signal: options.signal },
    );
  } catch (cause) {
    options.onProgress?.({ step, state: "failed", message: `${spec.id} did not get ready: ${last}` });
    if (!TimeoutError.isInstance(cause)) throw cause;
    throw new TimeoutError({
      what: `${spec.id} being ready (${last || "no instance"})`,
      timeoutMs: READY_TIMEOUT_MS,
      hint: "look at its log with `clipper logs`",
      facts: { workload: spec.id, log: await tailOf(parts, spec.id) },
      cause,
    });
  }
  options.onProgress?.({ step, state: "done", message: `${spec.id} is ready` });
}

/** The last lines a workload wrote, for errors. */
export async function tailOf(
  { manager, cluster }: Pick<ClusterParts, "manager" | "cluster">,
  id: string,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of manager.logs(cluster, { id, tail: 50 })) lines.push(text);
  return lines.slice(-50);
}

/** Ends what runs: replicas and controller first, so that nobody puts back what is being removed. */
export async function stopCluster(
  { manager, cluster, home }: ClusterParts,
  { purge, ...options }: CallOptions & { readonly purge: boolean },
): Promise<void> {
  options.onProgress?.({ step: "cluster-stop", state: "started", message: `stopping ${cluster.name}` });
  const file = await home.readFile();
  if (file !== undefined) await home.writeFile({ ...file, wanted: "stopped" });
  await manager.remove(cluster, CONTROLLER.id, options);
  const images = purge ? await versionImagesOf(manager, cluster.name, options) : [];
  for (let attempt = 1; attempt <= REMOVE_ATTEMPTS; attempt += 1) {
    await manager.remove(cluster, "all", { ...options, volumes: purge });
    // Another process may have been starting replicas just now: with the frontends gone it starts no more.
    if ((await manager.list(cluster, options)).length === 0) break;
  }
  await removeVersionImages(manager, images, options);
  if (purge) await home.purge();
  const redis = (file?.settings as ClusterSettings | undefined)?.state?.redis;
  if (purge && redis !== undefined) {
    // It is another's server: only management is let in, and that is gone.
    const message = `the keys ${redis.prefix}* are left in Redis`;
    options.onProgress?.({ step: "state-left", state: "done", message });
  }
  options.onProgress?.({ step: "cluster-stop", state: "done", message: `${cluster.name} is stopped` });
}
