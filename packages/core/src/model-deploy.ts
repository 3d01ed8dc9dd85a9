import { createHash } from "node:crypto";
import {
  type CallOptions,
  ClipperError,
  checkDeployOptions,
  checkName,
  DeployError,
  type DeployModelRequest,
  type DeployResult,
  InvalidArgumentError,
  type OperationRecord,
  ReplicaError,
  type WorkloadRecord,
} from "@clipper-serving/spec";
import { applyWish } from "./apply-wish.js";
import { beginOperation } from "./begin-operation.js";
import { collectGarbage } from "./collect-garbage.js";
import type { ConnectedCluster } from "./connected-cluster.js";
import { OperationLease } from "./operation-lease.js";
import { waitForReplicas } from "./replica-readiness.js";
import { waitUntilServed } from "./serving-versions.js";

const DEFAULT_READY_TIMEOUT_MS = 120_000;
const REPLICA_GRACE_MS = 10_000;

/**
 * Steps `apply`, `ready` and `switch` of a deploy. The wish is written first and watched coming true, under an operation whose lease this process
 * holds, so that an interrupted deploy is undone by whoever comes next.
 */
export async function deployModel(
  cluster: ConnectedCluster,
  request: DeployModelRequest,
  options: CallOptions = {},
): Promise<DeployResult> {
  checkRequest(request);
  const { model, version, replicas = 1, inputType, contentDigest } = request;
  const target = { model, version };
  const { management } = cluster;
  const previousVersion = (await management.model(model, options.signal))?.currentVersion;

  const begun = await beginOperation(
    management,
    { kind: "deploy", target, contentDigest, inputType },
    options,
  );
  if (begun.operation === undefined) {
    options.onProgress?.({
      step: "deploy",
      state: "skipped",
      message: `${model}:${version} is deployed already`,
    });
    // What it lacked may be there now, as an image that somebody had removed.
    await cluster.controller.runOnce(options.signal === undefined ? {} : { signal: options.signal });
    return { ...target, unchanged: true, replicas };
  }
  const { operation } = begun;
  const workload = workloadOf(cluster, request, operation);
  await using lease = new OperationLease({
    management,
    operation,
    renewEveryMs: begun.renewEveryMs,
    signal: options.signal,
  });
  const underLease = { ...options, signal: lease.signal };
  try {
    options.onProgress?.({
      step: "apply",
      state: "started",
      message: `starting ${counted(replicas)} of ${model}:${version}`,
    });
    await lease.enter("apply", workload.id);
    await management.putWorkload(workload, lease.signal);
    await applyWish(cluster, workload.id, { signal: lease.signal });
    options.onProgress?.({
      step: "apply",
      state: "done",
      message: `${counted(replicas)} accepted by the platform`,
    });

    await lease.enter("ready");
    await waitForReplicas(
      cluster,
      { target, purpose: `deploying ${model}:${version}`, workload: workload.id, replicas },
      { ...underLease, timeoutMs: readyTimeoutOf(request) },
    );

    options.onProgress?.({ step: "switch", state: "started", message: `making ${model}:${version} current` });
    await management.switchOperation(
      operation.id,
      {
        version,
        inputType,
        contentDigest,
        containerName: request.program.kind === "image" ? request.program.ref : request.program.path,
        workload: workload.id,
        replicas,
        ...(request.bundleDigest === undefined ? {} : { bundleDigest: request.bundleDigest }),
        ...(request.labels === undefined ? {} : { labels: request.labels }),
        ...(request.batchSize === undefined ? {} : { batchSize: request.batchSize }),
        ...(request.floor === undefined ? {} : { floor: request.floor }),
        ...(request.keepWarm === undefined ? {} : { keepWarm: request.keepWarm }),
        ...(request.force === undefined ? {} : { force: request.force }),
      },
      lease.signal,
    );
  } catch (error) {
    await undo(cluster, operation, error);
    options.signal?.throwIfAborted();
    throw asDeployError(error, request);
  }
  // Current from here on: what follows waits, and undoes nothing.
  if (replicas > 0) await waitUntilServed(cluster, target, options);
  await cluster.controller.runOnce(options.signal === undefined ? {} : { signal: options.signal });
  options.onProgress?.({ step: "switch", state: "done", message: `${model}:${version} answers` });
  await collectGarbage(cluster, options);
  return {
    ...target,
    unchanged: false,
    replicas,
    ...(previousVersion === undefined ? {} : { previousVersion }),
  };
}

/** @throws InvalidNameError | InvalidArgumentError */
function checkRequest(request: DeployModelRequest): void {
  const { model, version, command, program } = request;
  checkName("model", model);
  checkName("version", version);
  checkDeployOptions(request);
  if (command.length === 0 && program.kind === "directory") {
    throw new InvalidArgumentError({
      argument: "command",
      value: command,
      expected: "a command that runs a replica",
    });
  }
}

function workloadOf(
  cluster: ConnectedCluster,
  request: DeployModelRequest,
  operation: OperationRecord,
): WorkloadRecord {
  const { model, version, replicas = 1 } = request;
  const hash = createHash("sha256").update(`${model}\0${version}\0${operation.id}`).digest("hex");
  return {
    // From the operation too: a deploy that is being undone and the one that follows it never share a workload.
    id: `replica-${hash.slice(0, 16)}`,
    instances: replicas,
    operation: operation.id,
    spec: {
      labels: { "clipper.role": "replica", "clipper.model": model, "clipper.version": version },
      program: request.program,
      command: request.command,
      env: { ...request.env, CLIPPER_FRONTENDS: cluster.rpcAddresses.join(",") },
      secrets: ["rpc"],
      resources: request.resources ?? {},
      graceMs: REPLICA_GRACE_MS,
      ...(request.overlay === undefined ? {} : { overlay: request.overlay }),
    },
  };
}

/** Ends the operation and removes what it made; never hides the error it is called for. */
async function undo(cluster: ConnectedCluster, operation: OperationRecord, error: unknown): Promise<void> {
  const told = ClipperError.isInstance(error)
    ? { code: error.code, message: error.message }
    : { code: "CANCELLED", message: error instanceof Error ? error.message : String(error) };
  try {
    await cluster.management.finishOperation(operation.id, { error: told });
    await cluster.controller.runOnce({});
  } catch {
    // The lease runs out by itself, and the controller beside the platform undoes the rest.
  }
}

function asDeployError(error: unknown, { model, version }: DeployModelRequest): unknown {
  if (!ReplicaError.isInstance(error)) return error;
  const { code, reason, hint, facts, cause = error } = error;
  return new DeployError({ code, step: "ready", model, version, message: reason, hint, facts, cause });
}

function readyTimeoutOf({ readyTimeoutMs = DEFAULT_READY_TIMEOUT_MS }: DeployModelRequest): number {
  return readyTimeoutMs;
}

function counted(replicas: number): string {
  return replicas === 1 ? "1 replica" : `${replicas} replicas`;
}
