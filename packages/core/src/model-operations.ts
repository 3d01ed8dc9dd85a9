import {
  type CallOptions,
  ConflictError,
  checkReplicas,
  type ModelVersion,
  modelVersionKey,
  type OperationKind,
  type VersionRecord,
} from "@clipper-serving/spec";
import { applyWish } from "./apply-wish.js";
import { beginOperation } from "./begin-operation.js";
import type { ConnectedCluster } from "./connected-cluster.js";
import { getVersionRecord } from "./model-queries.js";
import { OperationLease } from "./operation-lease.js";
import { waitUntilApplied } from "./propagation.js";
import { removeVersionImages } from "./removed-images.js";
import { restartsOf, type WantedReplicas, waitForReplicas } from "./replica-readiness.js";
import { waitUntilServed } from "./serving-versions.js";

const READY_TIMEOUT_MS = 120_000;

/**
 * Starts or drains replicas until there are `replicas`; resolves when those are connected and no others.
 * @throws NotFoundError, ConflictError `NO_CONTAINER`, ReplicaError
 */
export async function scaleVersion(
  cluster: ConnectedCluster,
  target: ModelVersion,
  replicas: number,
  options: CallOptions = {},
): Promise<void> {
  checkReplicas(replicas);
  const name = modelVersionKey(target);
  const workload = workloadOf(await getVersionRecord(cluster, target, options.signal));
  await underOperation(cluster, "scale", target, options, async (signal) => {
    await bringTo(
      cluster,
      { target, purpose: `scaling ${name} to ${counted(replicas)}`, workload, replicas },
      { ...options, signal },
    );
  });
}

export interface SwitchOptions extends CallOptions {
  /** Default: as many as it had. */
  readonly replicas?: number;
  /** Of the model's record that the version was chosen by. When another version has become current since, it stays so. */
  readonly revision?: number;
}

/**
 * Makes a registered version current, its replicas started first where it has none. Resolves when every frontend serves it.
 * @throws NotFoundError, ConflictError `PRECONDITION_FAILED`
 */
export async function switchVersion(
  cluster: ConnectedCluster,
  target: ModelVersion,
  options: SwitchOptions = {},
): Promise<void> {
  const record = await getVersionRecord(cluster, target, options.signal);
  const running = (await cluster.management.workloads(options.signal)).find(
    ({ id }) => id === record.workload,
  );
  // One that was scaled to 0 gets a replica: becoming current without one would leave the frontends with the version before.
  const replicas = options.replicas ?? Math.max(running?.instances ?? 0, record.replicas, 1);
  await underOperation(cluster, "rollback", target, options, async (signal) => {
    const { workload } = record;
    if (workload !== undefined && replicas > 0) {
      const purpose = `starting ${counted(replicas)} to make ${modelVersionKey(target)} current`;
      await bringTo(cluster, { target, purpose, workload, replicas }, { ...options, signal });
    }
    await cluster.management.putCurrent(target, { revision: options.revision, signal });
    if (workload !== undefined && replicas > 0)
      await waitUntilServed(cluster, target, { ...options, signal });
  });
}

/** Wishes for that many replicas, and waits until they are connected and no others. */
async function bringTo(
  cluster: ConnectedCluster,
  wanted: Omit<WantedReplicas, "restartsBefore">,
  options: CallOptions,
): Promise<void> {
  const { workload, replicas } = wanted;
  const restartsBefore = await restartsOf(cluster, workload, options.signal);
  await cluster.management.putInstances(workload, replicas, options.signal);
  await applyWish(cluster, workload, options);
  await waitForReplicas(cluster, { ...wanted, restartsBefore }, { ...options, timeoutMs: READY_TIMEOUT_MS });
}

/** Unregisters a version and ends its replicas. */
export async function stopVersion(
  cluster: ConnectedCluster,
  target: ModelVersion,
  options: CallOptions = {},
): Promise<void> {
  options.onProgress?.({
    step: "stop",
    state: "started",
    message: `stopping ${target.model}:${target.version}`,
  });
  const record = await cluster.management.version(target, options.signal);
  await cluster.management.deleteVersion(target, options.signal);
  await waitUntilApplied(cluster, options);
  await cluster.controller.runOnce(options.signal === undefined ? {} : { signal: options.signal });
  if (record?.workload !== undefined) {
    await removeVersionImages(cluster.manager, [record.containerName], options);
  }
  options.onProgress?.({
    step: "stop",
    state: "done",
    message: `${target.model}:${target.version} is stopped`,
  });
}

function counted(replicas: number): string {
  return replicas === 1 ? "1 replica" : `${replicas} replicas`;
}

function workloadOf({ model, version, workload }: VersionRecord): string {
  if (workload !== undefined) return workload;
  throw new ConflictError({
    code: "NO_CONTAINER",
    message: `Cannot resize the replica set for containerless model ${model}:${version}`,
    hint: "its replicas are run by whoever registered it",
  });
}

/**
 * Does what `work` does under an operation. What it writes are wishes: should this process end half-way, the controller beside the platform makes
 * them true all the same.
 */
async function underOperation(
  { management }: ConnectedCluster,
  kind: OperationKind,
  target: ModelVersion,
  options: CallOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const begun = await beginOperation(management, { kind, target }, options);
  const { operation } = begun;
  if (operation === undefined) return;
  await using lease = new OperationLease({
    management,
    operation,
    renewEveryMs: begun.renewEveryMs,
    signal: options.signal,
  });
  try {
    await work(lease.signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await management.finishOperation(operation.id, { error: { code: "INCOMPLETE", message } }).catch(() => {
      // The error underway says more; the lease runs out by itself.
    });
    throw error;
  }
  await management.finishOperation(operation.id, {});
}
