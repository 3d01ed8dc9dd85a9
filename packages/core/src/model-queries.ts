import {
  type CallOptions,
  InvalidArgumentError,
  type ModelVersion,
  modelVersionKey,
  NotFoundError,
  type RegisteredVersion,
  type VersionRecord,
} from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";

/** Which versions are stopped: those named, or all of the models, or all but the current ones. */
export type VersionsToStop =
  | { readonly models: readonly string[]; readonly only?: "inactive" }
  | { readonly versions: readonly ModelVersion[] };

/** @returns the version's record. @throws NotFoundError */
export async function getVersionRecord(
  { management }: ConnectedCluster,
  target: ModelVersion,
  signal?: AbortSignal,
): Promise<VersionRecord> {
  const record = await management.version(target, signal);
  if (record === undefined) throw new NotFoundError({ kind: "version", name: modelVersionKey(target) });
  return record;
}

/** @returns the current version of a model. @throws NotFoundError when there is none */
export async function currentVersionOf(
  { management }: ConnectedCluster,
  model: string,
  signal?: AbortSignal,
): Promise<string> {
  const version = (await management.model(model, signal))?.currentVersion;
  if (version === undefined) {
    throw new NotFoundError({
      kind: "model",
      name: model,
      message: `No versions of model ${model} registered with Clipper`,
    });
  }
  return version;
}

/** @returns the version that was current before, and the revision of the record that says so. @throws NotFoundError when there is none */
export async function previousVersionOf(
  { management }: ConnectedCluster,
  model: string,
  signal?: AbortSignal,
): Promise<{ readonly version: string; readonly revision: number }> {
  const record = await management.model(model, signal);
  if (record?.previousVersion !== undefined) {
    return { version: record.previousVersion, revision: record.revision };
  }
  throw new NotFoundError({
    kind: "version",
    name: `${model}:previous`,
    message: `model ${model} has no version that was current before`,
    hint: "name the version to make current",
  });
}

/** @returns undefined when it is not registered */
export async function registeredVersion(
  { management, manager }: ConnectedCluster,
  target: ModelVersion,
  signal?: AbortSignal,
): Promise<RegisteredVersion | undefined> {
  const [record, model] = await Promise.all([
    management.version(target, signal),
    management.model(target.model, signal),
  ]);
  if (record === undefined) return undefined;
  const { inputType, contentDigest, containerName } = record;
  return {
    ...target,
    inputType,
    contentDigest,
    isCurrent: model?.currentVersion === target.version,
    ...(manager.capabilities.program === "image" ? { image: containerName } : {}),
  };
}

/** @returns how many replicas of a version are wanted. @throws NotFoundError */
export async function wantedReplicas(
  cluster: ConnectedCluster,
  target: ModelVersion,
  signal?: AbortSignal,
): Promise<number> {
  const { workload } = await getVersionRecord(cluster, target, signal);
  const workloads = await cluster.management.workloads(signal);
  return workloads.find(({ id }) => id === workload)?.instances ?? 0;
}

/** @returns the versions that are there; those that are named as they are. @throws InvalidArgumentError */
export async function versionsToStop(
  { management }: ConnectedCluster,
  which: VersionsToStop,
  { signal }: CallOptions,
): Promise<readonly ModelVersion[]> {
  const given = "versions" in which ? which.versions : which.models;
  // Text has an `includes` too, which would match parts of names.
  if (!Array.isArray(given)) {
    throw new InvalidArgumentError({ argument: "models", value: given, expected: "an array" });
  }
  if ("versions" in which) return which.versions;
  const targets: ModelVersion[] = [];
  for (const record of await management.models(signal)) {
    if (!which.models.includes(record.name)) continue;
    for (const { model, version } of await management.versions(record.name, signal)) {
      if (which.only === undefined || version !== record.currentVersion) targets.push({ model, version });
    }
  }
  return targets;
}
