import {
  ConflictError,
  InvalidArgumentError,
  type ModelRecord,
  NotFoundError,
  type OperationRecord,
  type RegisterVersion,
  type StateChange,
  type Stored,
  VersionExistsError,
  type VersionRecord,
} from "@clipper-serving/spec";
import { checkFloorOfCurrent, checkLinkedInputTypes } from "./compatibility.js";
import { type Decision, putRecord, removeRecord } from "./decision.js";
import { endedError, isFinal } from "./operation-phase.js";
import { type StateView, unstored } from "./state-view.js";
import { makeCurrent, registerVersion, versionRecord } from "./versions.js";

/**
 * The last step of a deploy, in one commit: the version is registered and current, what was current is kept warm and what is older
 * scaled to 0, the workload is the version's own, and the operation is done. Asked again after it was done, it answers the same.
 *
 * @throws ConflictError `OPERATION_ENDED` when the operation was given up meanwhile
 * @throws ConflictError `INPUT_TYPE_MISMATCH`, `SLO_BELOW_FLOOR`, VersionExistsError
 */
export function switchOperation(
  view: StateView,
  id: string,
  body: RegisterVersion,
  { nowMs }: { readonly nowMs: number },
): Decision<ModelRecord> {
  const operation = view.operation(id);
  if (operation === undefined) throw new NotFoundError({ kind: "operation", name: id });
  if (operation.kind !== "deploy" || operation.target.version !== body.version) {
    throw new InvalidArgumentError({
      argument: "version",
      value: body.version,
      expected: `${operation.target.version}, which the ${operation.kind} is about`,
    });
  }
  const { model } = operation.target;
  const wanted = versionRecord(model, withWorkload(body, operation));
  const registered = view.version(wanted);
  if (operation.phase === "done" && registered !== undefined) {
    checkSameContent(registered, wanted);
    const record = view.model(model);
    if (record !== undefined) return { changes: [], result: unstored(record) };
  }
  if (isFinal(operation)) throw endedError(operation);

  const released = [...releaseWorkload(view, operation, wanted), done(operation, nowMs)];
  const prepared = view.with(released);
  const switched =
    registered === undefined
      ? registerAnew(prepared, model, withWorkload(body, operation))
      : becomeCurrentAgain(prepared, registered, wanted, body);
  return { changes: [...released, ...switched.changes], result: switched.result };
}

function registerAnew(view: StateView, model: string, body: RegisterVersion): Decision<ModelRecord> {
  const { changes, result } = registerVersion(view, model, body);
  return { changes, result: result.model };
}

/** The version was there with the same content and not current: this deploy was its way back. */
function becomeCurrentAgain(
  view: StateView,
  registered: Stored<VersionRecord>,
  wanted: VersionRecord,
  body: RegisterVersion,
): Decision<ModelRecord> {
  checkSameContent(registered, wanted);
  checkLinkedInputTypes(view, wanted.model, registered.inputType);
  if (!body.force) checkFloorOfCurrent(view, registered);
  const version: VersionRecord = {
    ...unstored(registered),
    replicas: wanted.replicas,
    ...(wanted.workload === undefined ? {} : { workload: wanted.workload }),
  };
  const put = [putRecord("version", version), ...dropReplacedWorkload(view, registered, version)];
  const current = makeCurrent(view.with(put), version, body.keepWarm);
  return { changes: [...put, ...current.changes], result: current.result };
}

function dropReplacedWorkload(view: StateView, old: VersionRecord, next: VersionRecord): StateChange[] {
  if (old.workload === undefined || old.workload === next.workload) return [];
  return view.workload(old.workload) === undefined ? [] : [removeRecord("workload", old.workload)];
}

function withWorkload(body: RegisterVersion, operation: OperationRecord): RegisterVersion {
  const workload = body.workload ?? operation.workload;
  return workload === undefined ? body : { ...body, workload };
}

function releaseWorkload(view: StateView, operation: OperationRecord, version: VersionRecord): StateChange[] {
  if (version.workload === undefined) return [];
  const workload = view.workload(version.workload);
  if (workload === undefined) throw new NotFoundError({ kind: "workload", name: version.workload });
  if (workload.operation === undefined) return [];
  if (workload.operation !== operation.id) {
    throw new ConflictError({
      code: "WORKLOAD_IN_USE",
      message: `workload ${workload.id} belongs to another operation, ${workload.operation}`,
      facts: { workload: workload.id, operation: workload.operation },
    });
  }
  const { operation: _released, ...rest } = unstored(workload);
  return [putRecord("workload", rest)];
}

function checkSameContent(registered: VersionRecord, wanted: VersionRecord): void {
  if (registered.contentDigest === wanted.contentDigest && wanted.contentDigest !== "") return;
  throw new VersionExistsError({
    model: wanted.model,
    version: wanted.version,
    deployedDigest: registered.contentDigest,
    newDigest: wanted.contentDigest,
  });
}

function done(operation: Stored<OperationRecord>, nowMs: number): StateChange {
  return putRecord("operation", { ...unstored(operation), phase: "done", leaseUntilMs: nowMs });
}
