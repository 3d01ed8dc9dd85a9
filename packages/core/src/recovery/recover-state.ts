import {
  type CallOptions,
  ClipperError,
  type ClusterRef,
  type ClusterView,
  ConflictError,
  type ContainerManager,
  EPOCH_LABEL,
  type HeldSnapshot,
  type ModelVersion,
  ROLE_LABEL,
  type StateHead,
  StateLostError,
  succeedsEpoch,
  TimeoutError,
  type WorkloadStatus,
} from "@clipper-serving/spec";
import { QUERY } from "../composition.js";
import type { ManagementClient } from "../management-client.js";
import { pollUntil } from "../polling.js";
import { frontendsApart, servesOther } from "./apart.js";
import { chooseSnapshot } from "./choose-snapshot.js";
import { leftRunning, type StateDifference, stateDifferences, versionOfLabels } from "./state-difference.js";

/** From a management frontend with an empty store to every query frontend having told it what it holds, ms. */
const GATHER_TIMEOUT_MS = 15_000;

export interface RecoverOptions {
  readonly manager: ContainerManager;
  readonly cluster: ClusterRef;
  readonly management: ManagementClient;
  /** Of the store this machine last saw under the cluster's name. */
  readonly knownEpoch: string | undefined;
  /** Go on without what cannot be restored. */
  readonly acceptLoss: boolean;
  /** Default 15,000. */
  readonly gatherTimeoutMs?: number;
}

/** What became of a store that had lost its records. */
export interface StateRestoration {
  /** Query frontends whose snapshot it was, and the state that names. */
  readonly from: { readonly frontends: readonly string[]; readonly head: StateHead };
  readonly applications: readonly string[];
  readonly versions: readonly ModelVersion[];
  readonly differences: readonly StateDifference[];
}

export interface Recovery {
  /** Of management's store. */
  readonly epoch: string;
  readonly restored?: StateRestoration | undefined;
}

/**
 * Looks whether management's store has lost what it held, and restores it from what the query frontends hold. Nothing is done to a store that is in use, or to
 * that of a new cluster. Where another caller restores at the same time, one of them does and the other goes on.
 * @throws StateLostError when there was something and no frontend holds it, unless the loss is accepted
 */
export async function recoverState(options: RecoverOptions, call: CallOptions = {}): Promise<Recovery> {
  const { management, acceptLoss, knownEpoch } = options;
  const view = await management.cluster(call.signal);
  const { epoch } = view.head;
  if (view.state !== "new") {
    if (acceptLoss) await acceptLossOf(options, view, call);
    else tellWhoIsApart(view, call);
    return { epoch };
  }
  const held = await untilAllHaveTold(options, call);
  const replicas = await replicasOf(options, call);
  const chosen = chooseSnapshot(held, replicas);
  const isLost = replicas.length > 0 || (knownEpoch !== undefined && knownEpoch !== epoch);
  if (chosen === undefined && isLost && !acceptLoss) throw stateLost(view, replicas);
  const restored =
    chosen === undefined ? undefined : await restore(options, { view, chosen, held, replicas }, call);
  // As it is now: frontends have told meanwhile what they serve by.
  if (acceptLoss && (isLost || chosen !== undefined))
    await acceptLossOf(options, await management.cluster(call.signal), call);
  return { epoch, restored };
}

interface Findings {
  readonly view: ClusterView;
  readonly chosen: HeldSnapshot;
  readonly held: readonly HeldSnapshot[];
  readonly replicas: readonly WorkloadStatus[];
}

async function restore(
  options: RecoverOptions,
  { view, chosen, held, replicas }: Findings,
  call: CallOptions,
): Promise<StateRestoration | undefined> {
  const { management, acceptLoss } = options;
  const { snapshot, frontends } = chosen;
  const step = "state-restore";
  call.onProgress?.({
    step,
    state: "started",
    message: `the records are lost: restoring revision ${snapshot.head.revision} from ${frontends.join(", ")}`,
  });
  const differences = stateDifferences({ chosen, held, replicas });
  try {
    await management.restore({ expected: view.head, snapshot, left: leftRunning(differences) }, call.signal);
  } catch (error) {
    if (ConflictError.isInstance(error) && error.code === "STORE_NOT_NEW") {
      call.onProgress?.({ step, state: "skipped", message: "somebody else has restored them" });
      return undefined;
    }
    if (!acceptLoss || !isRefused(error)) throw error;
    call.onProgress?.({ step, state: "failed", message: `they cannot be restored: ${error.message}` });
    return undefined;
  }
  for (const { message } of differences) {
    call.onProgress?.({ step: "state-difference", state: "done", message });
  }
  const restoration: StateRestoration = {
    from: { frontends, head: snapshot.head },
    applications: namesOf(chosen, "application"),
    versions: snapshot.records
      .filter(({ kind }) => kind === "version")
      .map(({ value }) => value as ModelVersion)
      .map(({ model, version }) => ({ model, version })),
    differences,
  };
  const { applications, versions } = restoration;
  call.onProgress?.({
    step,
    state: "done",
    message: `restored ${applications.length} applications and ${versions.length} versions`,
  });
  return restoration;
}

/** Whether management will not take that state, however often it is asked. */
function isRefused(error: unknown): error is ClipperError {
  return ClipperError.isInstance(error) && (error.facts.status === 400 || error.facts.status === 413);
}

/** Gives up what is of another history than the store's: what frontends serve by, and what runs. */
async function acceptLossOf(options: RecoverOptions, view: ClusterView, call: CallOptions): Promise<void> {
  const { management, knownEpoch } = options;
  const { head, origin } = view;
  const ofReplicas = (await replicasOf(options, call)).flatMap(({ labels }) => labels[EPOCH_LABEL] ?? []);
  const ofFrontends = frontendsApart(view).flatMap((frontend) => frontend.head?.epoch ?? []);
  const ofReplicasAndHome = [...ofReplicas, ...(knownEpoch === undefined ? [] : [knownEpoch])];
  const epochs = new Set([
    ...ofFrontends,
    ...ofReplicasAndHome.filter((epoch) => !succeedsEpoch(origin, epoch)),
  ]);
  epochs.delete(head.epoch);
  const after = await management.acceptLoss({ expected: head, epochs: [...epochs] }, call.signal);
  if (after.head.revision === head.revision) return;
  call.onProgress?.({
    step: "state-loss",
    state: "done",
    message: "what no record holds is given up: its replicas end, and every query frontend follows the store",
  });
}

/** Somebody began anew in the store before anybody restored it: the two do not become one by themselves. */
function tellWhoIsApart(view: ClusterView, { onProgress }: CallOptions): void {
  const apart = frontendsApart(view);
  if (apart.length === 0) return;
  const ids = apart.map(({ id }) => id).join(", ");
  onProgress?.({
    step: "state-apart",
    state: "failed",
    message: `${ids} serves by another history than the store's, and goes on so: put that store's data back, or \`clipper up --accept-state-loss\``,
  });
}

/**
 * Waits until each query frontend that runs has said what it serves by, and has given it where it was asked. What does not come in time is not waited for.
 * @returns what they gave: management may be started anew at any moment, and know none of it until they have told again
 */
async function untilAllHaveTold(
  { manager, cluster, management, gatherTimeoutMs = GATHER_TIMEOUT_MS }: RecoverOptions,
  { signal, onProgress }: CallOptions,
): Promise<readonly HeldSnapshot[]> {
  try {
    return await pollUntil(
      async () => {
        const [workloads, { head, frontends }, held] = await Promise.all([
          manager.list(cluster, signal === undefined ? {} : { signal }),
          management.cluster(signal),
          management.snapshots(signal),
        ]);
        const instances = workloads.find(({ id }) => id === QUERY.id)?.instances ?? [];
        const given = new Set(held.flatMap((each) => each.frontends));
        const hasTold = (id: string) => {
          const frontend = frontends.find((each) => each.id === id);
          return frontend !== undefined && (!servesOther(frontend, head) || given.has(id));
        };
        const haveAllTold =
          instances.length > 0 &&
          instances.every(({ id, state }) => state === "stopping" || hasTold(id)) &&
          frontends.every(({ id }) => hasTold(id));
        return haveAllTold ? held : undefined;
      },
      { what: "every query frontend telling what it holds", timeoutMs: gatherTimeoutMs, signal },
    );
  } catch (error) {
    if (!TimeoutError.isInstance(error)) throw error;
    onProgress?.({ step: "state-restore", state: "advanced", message: error.message });
    return management.snapshots(signal);
  }
}

async function replicasOf(
  { manager, cluster }: RecoverOptions,
  { signal }: CallOptions,
): Promise<readonly WorkloadStatus[]> {
  const workloads = await manager.list(cluster, signal === undefined ? {} : { signal });
  return workloads.filter(({ labels }) => labels[ROLE_LABEL] === "replica");
}

function namesOf({ snapshot }: HeldSnapshot, wanted: string): readonly string[] {
  return snapshot.records.filter(({ kind }) => kind === wanted).map(({ key }) => key);
}

function stateLost({ cluster, head }: ClusterView, replicas: readonly WorkloadStatus[]): StateLostError {
  const versions = [
    ...new Set(replicas.map(versionOfLabels).map(({ model, version }) => `${model}:${version}`)),
  ].sort();
  const left =
    versions.length === 0
      ? "nothing is left that would name a model"
      : `what runs of ${versions.join(", ")} is left running`;
  return new StateLostError({
    message: `the records of cluster ${cluster} are lost, and no query frontend holds them: ${left}; which applications there were is not known`,
    hint: "put the state volume's data back, or begin anew with `clipper up --accept-state-loss`, which ends those replicas; `clipper down --purge` leaves nothing",
    facts: { cluster, epoch: head.epoch, versions, workloads: replicas.map(({ id }) => id).sort() },
  });
}
