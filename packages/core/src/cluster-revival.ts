import { type CallOptions, type ModelRecord, TimeoutError } from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";
import { pollUntil } from "./polling.js";

const REVIVAL_TIMEOUT_MS = 30_000;

/**
 * Waits until the models that a cluster remembers answer again. One that does not come back in time is told as progress and left to the controller: it must not
 * keep the rest of the cluster from being used.
 */
export async function waitForRevival(
  { management }: ConnectedCluster,
  { signal, onProgress }: CallOptions,
): Promise<void> {
  const { models, versions, workloads } = await management.cluster(signal);
  const runs = (model: string, version: string | undefined) => {
    const record = versions.find((candidate) => candidate.model === model && candidate.version === version);
    return workloads.some(({ id, instances }) => id === record?.workload && instances > 0);
  };
  const expected = models.filter(({ name, currentVersion }) => runs(name, currentVersion));
  if (expected.length === 0) return;
  let missing = expected;
  try {
    await pollUntil(
      async () => {
        const frontends = await management.frontends(signal);
        missing = expected.filter(
          ({ name, currentVersion }) =>
            frontends.length === 0 ||
            !frontends.every(
              ({ serving, replicas }) =>
                serving[name] === currentVersion &&
                replicas.some(
                  ({ model, version, state }) =>
                    model === name && version === currentVersion && state === "ready",
                ),
            ),
        );
        return missing.length === 0 || undefined;
      },
      { what: "its models answering again", timeoutMs: REVIVAL_TIMEOUT_MS, signal },
    );
    onProgress?.({ step: "revival", state: "done", message: `${namesOf(expected)} answers` });
  } catch (error) {
    if (!TimeoutError.isInstance(error)) throw error;
    const message = `${namesOf(missing)} did not answer again within ${REVIVAL_TIMEOUT_MS} ms`;
    onProgress?.({ step: "revival", state: "failed", message });
  }
}

function namesOf(models: readonly ModelRecord[]): string {
  return models.map(({ name, currentVersion }) => `${name}:${currentVersion}`).join(", ");
}
