import {
  ConflictError,
  type ModelRecord,
  type ModelVersion,
  modelVersionKey,
  NotFoundError,
  type PutCurrent,
  type RegisterVersion,
  type StateChange,
  type VersionRecord,
} from "@clipper-serving/spec";
import { checkFloorOfCurrent, checkLinkedInputTypes } from "./compatibility.js";
import { type Decision, putRecord, removeRecord } from "./decision.js";
import { checkLabel, checkModelName, checkVersionName, type RequestOptions } from "./name-rules.js";
import { checkBatchSize, checkInstances } from "./number-rules.js";
import { type StateView, unstored } from "./state-view.js";
import { coolOldVersions, setInstancesOf } from "./warmth.js";

/** How many versions before the current one keep their replicas unless a request says otherwise. */
const DEFAULT_KEEP_WARM = 1;

/**
 * Registers a version and makes it current.
 * @throws ConflictError `VERSION_EXISTS`, `INPUT_TYPE_MISMATCH`, `SLO_BELOW_FLOOR`
 */
export function registerVersion(
  view: StateView,
  model: string,
  body: RegisterVersion,
  options: RequestOptions = {},
): Decision<{ readonly model: ModelRecord; readonly version: VersionRecord }> {
  const version = versionRecord(model, body);
  checkBatchSize(version.batchSize);
  checkInstances("replicas", version.replicas);
  checkModelName(model, options.names);
  checkVersionName(body.version, options.names);
  version.labels.forEach(checkLabel);
  if (view.version(version) !== undefined) {
    throw new ConflictError({
      code: "VERSION_EXISTS",
      message: `model with name '${model}' and version '${body.version}' already exists`,
      hint: "register it under a new version: a version never changes what it is",
      facts: { model, version: body.version },
    });
  }
  if (body.workload !== undefined && view.workload(body.workload) === undefined) {
    throw new NotFoundError({ kind: "workload", name: body.workload });
  }
  checkLinkedInputTypes(view, model, version.inputType);
  if (!body.force) checkFloorOfCurrent(view, version);
  const put = [putRecord("version", version)];
  const current = makeCurrent(view.with(put), version, body.keepWarm);
  return { changes: [...put, ...current.changes], result: { model: current.result, version } };
}

/**
 * Moves the model's current pointer, at once; frontends serve the previous version until the other is ready. A version whose
 * replicas were scaled to 0 gets them back in the same commit.
 * @throws NotFoundError, in Clipper's words
 */
export function setCurrentVersion(view: StateView, model: string, body: PutCurrent): Decision<ModelRecord> {
  if (view.versionsOf(model).length === 0) {
    throw new NotFoundError({
      kind: "model",
      name: model,
      message: `Cannot set version for nonexistent model '${model}'`,
    });
  }
  const version = view.version({ model, version: body.version });
  if (version === undefined) {
    throw new NotFoundError({
      kind: "version",
      name: `${model}:${body.version}`,
      message: `Cannot set non-existent version '${body.version}' for model with name '${model}'`,
    });
  }
  checkLinkedInputTypes(view, model, version.inputType);
  const { changes, result } = pointTo(view, version);
  return { changes: [...changes, ...warmUp(view, version)], result };
}

/**
 * Forgets a version and the workload that runs it. Routes to it stay: their applications answer with the default until another
 * version is current.
 */
export function unregisterVersion(view: StateView, target: ModelVersion): Decision<undefined> {
  const version = view.version(target);
  if (version === undefined) {
    throw new NotFoundError({
      kind: "version",
      name: modelVersionKey(target),
      message: `model with name '${target.model}' and version '${target.version}' does not exist`,
    });
  }
  const changes: StateChange[] = [removeRecord("version", modelVersionKey(target))];
  if (version.workload !== undefined && view.workload(version.workload) !== undefined) {
    changes.push(removeRecord("workload", version.workload));
  }
  return { changes: [...changes, ...forgetInModel(view, target)], result: undefined };
}

/** Makes a version of the view current, and scales down what has become too old to keep warm. */
export function makeCurrent(
  view: StateView,
  version: VersionRecord,
  keepWarm: number = DEFAULT_KEEP_WARM,
): Decision<ModelRecord> {
  checkInstances("keepWarm", keepWarm);
  const { changes, result } = pointTo(view, version);
  return { changes: [...changes, ...coolOldVersions(view, result, keepWarm)], result };
}

/** @returns what is kept of a version; absent parts of the body at their defaults */
export function versionRecord(model: string, body: RegisterVersion): VersionRecord {
  return {
    model,
    version: body.version,
    inputType: body.inputType,
    labels: body.labels ?? [],
    bundleDigest: body.bundleDigest ?? "",
    contentDigest: body.contentDigest ?? "",
    containerName: body.containerName ?? "NO_CONTAINER",
    modelDataPath: body.modelDataPath ?? "",
    batchSize: body.batchSize ?? -1,
    ...(body.workload === undefined ? {} : { workload: body.workload }),
    replicas: body.replicas ?? 0,
    ...(body.floor === undefined ? {} : { floor: body.floor }),
  };
}

function pointTo(view: StateView, { model, version, inputType }: VersionRecord): Decision<ModelRecord> {
  const old = view.model(model);
  if (old?.currentVersion === version && old.inputType === inputType) {
    return { changes: [], result: unstored(old) };
  }
  const before =
    old?.currentVersion === version ? old.previousVersion : (old?.currentVersion ?? old?.previousVersion);
  const result: ModelRecord = {
    name: model,
    inputType,
    currentVersion: version,
    ...(before === undefined || before === version ? {} : { previousVersion: before }),
  };
  return { changes: [putRecord("model", result)], result };
}

function warmUp(view: StateView, version: VersionRecord): StateChange[] {
  const workload = version.workload === undefined ? undefined : view.workload(version.workload);
  const wanted = Math.max(1, version.replicas);
  return workload === undefined || workload.instances >= wanted ? [] : setInstancesOf(view, version, wanted);
}

function forgetInModel(view: StateView, { model, version }: ModelVersion): StateChange[] {
  const record = view.model(model);
  if (record === undefined) return [];
  if (view.versionsOf(model).every((other) => other.version === version)) {
    return [removeRecord("model", model)];
  }
  if (record.currentVersion !== version && record.previousVersion !== version) return [];
  const { currentVersion, previousVersion, ...rest } = unstored(record);
  return [
    putRecord("model", {
      ...rest,
      ...(currentVersion === undefined || currentVersion === version ? {} : { currentVersion }),
      ...(previousVersion === undefined || previousVersion === version ? {} : { previousVersion }),
    }),
  ];
}
