import type { EngineInspection, ReplicaInspection, VersionInspection } from "../../inspection.js";

/** @returns what must never be seen of an engine once everything due has run */
export function engineViolations({ cache, versions }: EngineInspection): string[] {
  const violations = versions.flatMap((version) => versionViolations(version));
  if (cache.bytes > cache.limitBytes) violations.push(`the cache holds ${cache.bytes} bytes`);
  return violations;
}

function versionViolations(version: VersionInspection): string[] {
  const name = `${version.model}:${version.version}`;
  const violations: string[] = [];
  if (version.queueBytes > version.queueLimitBytes) {
    violations.push(`${name} queues ${version.queueBytes} bytes`);
  }
  if (version.queueLength === 0) return violations;
  const idle = version.replicas.find((replica) => isIdle(replica) && isFastest(replica, version));
  if (idle !== undefined) {
    violations.push(`${idle.replicaId} is idle while ${version.queueLength} wait for ${name}`);
  }
  if (!version.replicas.some(({ state }) => state === "ready" || state === "suspect")) {
    violations.push(`${version.queueLength} wait for ${name}, which has no replica`);
  }
  return violations;
}

function isIdle({ state, batchesInFlight }: ReplicaInspection): boolean {
  return state === "ready" && batchesInFlight === 0;
}

/** A slower one may rightly leave what it would answer too late to a faster one that will soon be free. */
function isFastest({ estimateMicros }: ReplicaInspection, { replicas }: VersionInspection): boolean {
  return (
    estimateMicros === undefined ||
    replicas.every((other) => other.state !== "ready" || (other.estimateMicros ?? 0) >= estimateMicros)
  );
}
