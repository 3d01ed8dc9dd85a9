import {
  type BeginOperation,
  type BegunOperation,
  ConflictError,
  InvalidArgumentError,
  modelVersionKey,
  NotFoundError,
  type OperationRecord,
  type RenewOperation,
  VersionExistsError,
} from "@clipper-serving/spec";
import { checkLinkedInputTypes } from "./compatibility.js";
import { type Decision, putRecord } from "./decision.js";
import { checkModelName, checkVersionName } from "./name-rules.js";
import { sweepOperations } from "./operation-end.js";
import {
  DEFAULT_LEASE_MS,
  endedError,
  isAbandoned,
  isFinal,
  openOperation,
  runningError,
} from "./operation-phase.js";
import { type StateView, unstored } from "./state-view.js";

export interface OperationTime {
  /** Milliseconds since 1970 on the management frontend's clock. */
  readonly nowMs: number;
  /** How long it is held for a caller that does not renew, ms. Default 6,000. */
  readonly leaseMs?: number;
}

/**
 * Begins one thing done to one version; only one is done at a time. One whose caller is gone is ended first, in the same commit.
 *
 * @param options.id names the operation: asked again for the same, it answers the same; else a name nobody has used
 * @throws VersionExistsError, ConflictError `INPUT_TYPE_MISMATCH`: what a deploy's switch would refuse, before anything is done
 * @throws ConflictError `OPERATION_RUNNING`, with when the other's lease ends
 */
export function beginOperation(
  view: StateView,
  body: BeginOperation,
  { id, nowMs, leaseMs = DEFAULT_LEASE_MS }: OperationTime & { readonly id: string },
): Decision<BegunOperation> {
  const renewEveryMs = Math.floor(leaseMs / 3);
  const begun = begunBefore(view, body, id);
  if (begun !== undefined)
    return { changes: [], result: { operation: begun, unchanged: false, renewEveryMs } };
  if (body.kind === "deploy") {
    if (isDeployed(view, body)) return { changes: [], result: { unchanged: true, renewEveryMs } };
  } else {
    checkTarget(view, body);
  }
  const running = openOperation(view, body.target);
  if (running !== undefined && !isAbandoned(running, nowMs)) throw runningError(running, nowMs);
  const swept = sweepOperations(view, { nowMs });
  const operation: OperationRecord = {
    id,
    kind: body.kind,
    target: { model: body.target.model, version: body.target.version },
    phase: body.kind === "deploy" ? "capture" : "waiting",
    ...(body.contentDigest === undefined ? {} : { contentDigest: body.contentDigest }),
    leaseUntilMs: nowMs + leaseMs,
    startedAtMs: nowMs,
  };
  return {
    changes: [...swept.changes, putRecord("operation", operation)],
    result: { operation, unchanged: false, renewEveryMs },
  };
}

/**
 * Says that the caller is still there, and how far it has come. A lease that has run out without anybody noticing holds again.
 * @throws ConflictError `OPERATION_ENDED`
 */
export function renewOperation(
  view: StateView,
  id: string,
  body: RenewOperation,
  { nowMs, leaseMs = DEFAULT_LEASE_MS }: OperationTime,
): Decision<OperationRecord> {
  const operation = view.operation(id);
  if (operation === undefined) throw new NotFoundError({ kind: "operation", name: id });
  if (isFinal(operation)) throw endedError(operation);
  if (isFinal(body)) {
    throw new InvalidArgumentError({
      argument: "phase",
      value: body.phase,
      expected: "a phase before the end: finish the operation to end it",
    });
  }
  const result: OperationRecord = {
    ...unstored(operation),
    phase: body.phase,
    ...(body.workload === undefined ? {} : { workload: body.workload }),
    leaseUntilMs: nowMs + leaseMs,
  };
  return { changes: [putRecord("operation", result)], result };
}

/** @throws ConflictError `OPERATION_ENDED` when it has ended since; InvalidArgumentError when it is another one */
function begunBefore(
  view: StateView,
  { kind, target }: BeginOperation,
  id: string,
): OperationRecord | undefined {
  const operation = view.operation(id);
  if (operation === undefined) return undefined;
  if (isFinal(operation)) throw endedError(operation);
  const isSame = operation.kind === kind && modelVersionKey(operation.target) === modelVersionKey(target);
  if (isSame) return unstored(operation);
  throw new InvalidArgumentError({
    argument: "id",
    value: id,
    expected: "a name that no other operation has",
  });
}

/**
 * Gives every lease its whole time again. For the start of a management frontend: nobody could renew while none ran.
 * @returns changes for open operations only
 */
export function holdLeases(
  view: StateView,
  { nowMs, leaseMs = DEFAULT_LEASE_MS }: OperationTime,
): Decision<undefined> {
  const leaseUntilMs = nowMs + leaseMs;
  const changes = view
    .operations()
    .filter((operation) => !isFinal(operation) && operation.leaseUntilMs < leaseUntilMs)
    .map((operation) => putRecord("operation", { ...unstored(operation), leaseUntilMs }));
  return { changes, result: undefined };
}

/** @returns whether this content is deployed and current: there is nothing to do */
function isDeployed(view: StateView, { target, contentDigest = "", inputType }: BeginOperation): boolean {
  checkModelName(target.model);
  checkVersionName(target.version);
  const deployed = view.version(target);
  if (deployed !== undefined) {
    if (contentDigest === "" || deployed.contentDigest !== contentDigest) {
      throw new VersionExistsError({
        ...target,
        deployedDigest: deployed.contentDigest,
        newDigest: contentDigest,
      });
    }
    if (view.model(target.model)?.currentVersion === target.version) return true;
  }
  if (inputType !== undefined) checkLinkedInputTypes(view, target.model, inputType);
  return false;
}

function checkTarget(view: StateView, { kind, target }: BeginOperation): void {
  const version = view.version(target);
  const name = modelVersionKey(target);
  if (version === undefined) {
    throw new NotFoundError({
      kind: "version",
      name,
      ...(kind === "scale"
        ? { message: `Cannot add container for non-registered model ${name}` }
        : { message: `model with name '${target.model}' and version '${target.version}' does not exist` }),
    });
  }
  if (kind === "scale" && version.workload === undefined) {
    throw new ConflictError({
      code: "NO_CONTAINER",
      message: `Cannot resize the replica set for containerless model ${name}`,
      hint: "its replicas are run by somebody else: start or stop them there",
      facts: { ...target },
    });
  }
}
