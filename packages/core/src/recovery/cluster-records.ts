import { type CallOptions, ClipperError, type WorkloadSpec } from "@clipper-serving/spec";
import type { ClusterParts, StartOptions } from "../cluster-parts.js";
import type { ClusterSecrets } from "../cluster-secrets.js";
import { MANAGEMENT } from "../composition.js";
import type { ManagementClient } from "../management-client.js";
import { pollUntil } from "../polling.js";
import { withManagement } from "../reach-cluster.js";
import { recoverState, type StateRestoration } from "./recover-state.js";

const END_TIMEOUT_MS = 30_000;
/** For management to say that its store is lost, which it knows already. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Whether management runs and its store went away below it: it then refuses everything, until it is started anew on what there is. */
export async function hasLostStore(
  parts: ClusterParts,
  secrets: ClusterSecrets,
  options: CallOptions,
): Promise<boolean> {
  const workloads = await parts.manager.list(parts.cluster, options);
  const instances = workloads.find(({ id }) => id === MANAGEMENT.id)?.instances ?? [];
  if (!instances.some(({ state }) => state === "running" || state === "ready")) return false;
  try {
    const impatient = { ...options, patienceMs: 0 };
    const late = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const signal = options.signal === undefined ? late : AbortSignal.any([late, options.signal]);
    await withManagement(parts, secrets, impatient, (management) => management.cluster(signal));
    return false;
  } catch (error) {
    options.signal?.throwIfAborted();
    // Whatever else it is, waiting for it to get ready tells.
    return isStoreLost(error);
  }
}

/** Whether management said that its store went away below it. */
export function isStoreLost(error: unknown): boolean {
  return ClipperError.isInstance(error) && error.code === "STORE_REGRESSED";
}

/** Ends what runs of a workload that stays: it keeps its ports. */
export async function endInstances(
  parts: ClusterParts,
  spec: WorkloadSpec,
  options: CallOptions,
): Promise<void> {
  const { manager, cluster } = parts;
  options.onProgress?.({
    step: `${spec.id}-restart`,
    state: "started",
    message: `${spec.id} has lost its store: starting it anew`,
  });
  await manager.apply(cluster, { ...spec, instances: 0 }, options);
  await pollUntil(
    async () =>
      (await manager.list(cluster, options)).find(({ id }) => id === spec.id)?.instances.length === 0 ||
      undefined,
    { what: `the end of ${spec.id}`, timeoutMs: END_TIMEOUT_MS, signal: options.signal },
  );
}

/** Restores what the store of a running cluster has lost, and remembers whose store it is. @throws StateLostError */
export async function recoverRecords(
  { manager, cluster, home }: ClusterParts,
  management: ManagementClient,
  { acceptStateLoss = false, ...call }: StartOptions,
): Promise<StateRestoration | undefined> {
  const knownEpoch = (await home.readFile())?.epoch;
  const { epoch, restored } = await recoverState(
    { manager, cluster, management, knownEpoch, acceptLoss: acceptStateLoss },
    call,
  );
  // Another process may have stopped the cluster meanwhile.
  const file = await home.readFile();
  if (file !== undefined && file.epoch !== epoch) await home.writeFile({ ...file, epoch });
  return restored;
}
