import {
  ConflictError,
  EPOCH_LABEL,
  InvalidArgumentError,
  modelVersionKey,
  NotFoundError,
  type PutInstances,
  WORKLOAD_ID_PATTERN,
  type WorkloadRecord,
} from "@clipper-serving/spec";
import { type Decision, putRecord, removeRecord } from "./decision.js";
import { checkInstances } from "./number-rules.js";
import { endedError, isFinal } from "./operation-phase.js";
import { type StateView, unstored } from "./state-view.js";

/**
 * Writes a workload's wish. A new one belongs to the live operation it names and goes with it, until a switch gives it to a
 * version; one that a version has already is only changed.
 * @throws ConflictError `OPERATION_ENDED` when the operation it names is over
 */
export function putWorkload(view: StateView, body: WorkloadRecord): Decision<WorkloadRecord> {
  if (!WORKLOAD_ID_PATTERN.test(body.id)) {
    throw new InvalidArgumentError({
      argument: "id",
      value: body.id,
      expected: `a workload's id: ${WORKLOAD_ID_PATTERN.source}`,
    });
  }
  checkInstances("instances", body.instances);
  const { operation: operationId, ...rest } = withEpoch(view, body);
  const owner = view.versionOfWorkload(body.id);
  const operation = operationId === undefined ? undefined : view.operation(operationId);
  if (operationId !== undefined) {
    if (operation === undefined) throw new NotFoundError({ kind: "operation", name: operationId });
    if (isFinal(operation)) throw endedError(operation);
  } else if (owner === undefined) {
    throw new InvalidArgumentError({
      argument: "operation",
      value: operationId,
      expected: "the operation that makes this workload",
    });
  }
  const holder = view.workload(body.id)?.operation;
  if (owner === undefined && holder !== undefined && holder !== operationId) {
    throw new ConflictError({
      code: "WORKLOAD_IN_USE",
      message: `workload ${body.id} belongs to another operation, ${holder}`,
      facts: { workload: body.id, operation: holder },
    });
  }
  const result: WorkloadRecord =
    owner === undefined && operationId !== undefined ? { ...rest, operation: operationId } : rest;
  const changes = [putRecord("workload", result)];
  if (operation !== undefined && operation.workload !== body.id) {
    changes.push(putRecord("operation", { ...unstored(operation), workload: body.id }));
  }
  return { changes, result };
}

/** One that was wanted before keeps its label: another label would be another program, and its replicas made anew. */
function withEpoch(view: StateView, body: WorkloadRecord): WorkloadRecord {
  const epoch = view.workload(body.id)?.spec.labels[EPOCH_LABEL] ?? view.head.epoch;
  return { ...body, spec: { ...body.spec, labels: { ...body.spec.labels, [EPOCH_LABEL]: epoch } } };
}

/** Scales a workload, and writes the count down as the wish for the version it runs. */
export function putInstances(view: StateView, id: string, body: PutInstances): Decision<WorkloadRecord> {
  checkInstances("instances", body.instances);
  const workload = view.workload(id);
  if (workload === undefined) throw new NotFoundError({ kind: "workload", name: id });
  const result: WorkloadRecord = { ...unstored(workload), instances: body.instances };
  const version = view.versionOfWorkload(id);
  const changes = [
    ...(workload.instances === body.instances ? [] : [putRecord("workload", result)]),
    ...(version === undefined || version.replicas === body.instances
      ? []
      : [putRecord("version", { ...unstored(version), replicas: body.instances })]),
  ];
  return { changes, result };
}

/**
 * Absent is success.
 * @throws ConflictError `WORKLOAD_IN_USE` while a version is registered with it: stop the version instead
 */
export function deleteWorkload(view: StateView, id: string): Decision<undefined> {
  const version = view.versionOfWorkload(id);
  if (version !== undefined) {
    throw new ConflictError({
      code: "WORKLOAD_IN_USE",
      message: `workload ${id} runs the replicas of ${modelVersionKey(version)}`,
      hint: "stop the version: its workload goes with it",
      facts: { workload: id, model: version.model, version: version.version },
    });
  }
  return {
    changes: view.workload(id) === undefined ? [] : [removeRecord("workload", id)],
    result: undefined,
  };
}
