import {
  type FinishOperation,
  InvalidArgumentError,
  NotFoundError,
  type OperationRecord,
  type StateChange,
} from "@clipper-serving/spec";
import { type Decision, putRecord, removeRecord } from "./decision.js";
import { isAbandoned, isFinal, KEEP_ENDED_MS, OPERATION_ABANDONED, runningError } from "./operation-phase.js";
import { type StateView, unstored } from "./state-view.js";
import { setInstancesOf } from "./warmth.js";

/**
 * Ends an operation. A deploy that ends before its switch takes its workload with it; the wishes of the other kinds are written
 * already, and stand. Ending what has ended changes nothing.
 *
 * The error `OPERATION_ABANDONED` is a stranger's word that the caller is gone: it counts only once the lease has run out, and means
 * "undo" for a deploy and "done" for the others.
 *
 * @throws ConflictError `OPERATION_RUNNING` when said of an operation whose lease holds
 */
export function finishOperation(
  view: StateView,
  id: string,
  body: FinishOperation,
  { nowMs }: { readonly nowMs: number },
): Decision<OperationRecord> {
  const operation = view.operation(id);
  if (operation === undefined) throw new NotFoundError({ kind: "operation", name: id });
  if (isFinal(operation)) return { changes: [], result: unstored(operation) };
  if (body.error?.code === OPERATION_ABANDONED) {
    if (!isAbandoned(operation, nowMs)) throw runningError(operation, nowMs);
    return abandon(view, operation, nowMs);
  }
  if (operation.kind === "deploy" && body.error === undefined) {
    throw new InvalidArgumentError({
      argument: "error",
      value: undefined,
      expected: "given: a deploy succeeds by its switch",
    });
  }
  return end(view, operation, body.error, nowMs);
}

/** Ends every operation whose caller is gone, and forgets those that ended an hour ago. */
export function sweepOperations(
  view: StateView,
  { nowMs }: { readonly nowMs: number },
): Decision<readonly OperationRecord[]> {
  const changes: StateChange[] = [];
  const result: OperationRecord[] = [];
  let current = view;
  for (const operation of view.operations()) {
    if (isAbandoned(operation, nowMs)) {
      const ended = abandon(current, operation, nowMs);
      current = current.with(ended.changes);
      changes.push(...ended.changes);
      result.push(ended.result);
    } else if (isFinal(operation) && operation.leaseUntilMs + KEEP_ENDED_MS <= nowMs) {
      changes.push(removeRecord("operation", operation.id));
    }
  }
  return { changes, result };
}

function abandon(view: StateView, operation: OperationRecord, nowMs: number): Decision<OperationRecord> {
  if (operation.kind !== "deploy") return end(view, operation, undefined, nowMs);
  return end(
    view,
    operation,
    {
      code: OPERATION_ABANDONED,
      message: `its caller went away at ${operation.phase}; what it had made is removed`,
      facts: { phase: operation.phase },
    },
    nowMs,
  );
}

function end(
  view: StateView,
  operation: OperationRecord,
  error: FinishOperation["error"],
  nowMs: number,
): Decision<OperationRecord> {
  const { id, kind, target, workload, startedAtMs } = operation;
  const result: OperationRecord = {
    id,
    kind,
    target,
    phase: error === undefined ? "done" : "failed",
    ...(workload === undefined ? {} : { workload }),
    leaseUntilMs: nowMs,
    startedAtMs,
    ...(error === undefined ? {} : { error }),
  };
  const undone = kind === "deploy" ? undoDeploy(view, operation) : [];
  return { changes: [putRecord("operation", result), ...undone], result };
}

/** A version that was registered before this deploy keeps its workload; its replicas go, unless a query can reach them. */
function undoDeploy(view: StateView, operation: OperationRecord): StateChange[] {
  const made = view.workloads().filter((workload) => workload.operation === operation.id);
  const removed = made.map(({ id }) => removeRecord("workload", id));
  const version = view.version(operation.target);
  if (version?.workload === undefined || version.workload !== operation.workload) return removed;
  const model = view.model(version.model);
  const reachable =
    model?.currentVersion === version.version ||
    model?.previousVersion === version.version ||
    view
      .applicationsOf(version.model)
      .some(({ routes }) =>
        routes.some((route) => route.model === version.model && route.version === version.version),
      );
  return reachable ? removed : [...removed, ...setInstancesOf(view, version, 0)];
}
