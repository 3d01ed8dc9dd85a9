import { type CallOptions, TimeoutError } from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";
import { pollUntil } from "./polling.js";

const PROPAGATION_TIMEOUT_MS = 5_000;

/**
 * Waits until every live query frontend serves the state as it is now, so that a caller's next prediction meets what the caller has just changed. A frontend that
 * does not follow in time is told as progress: the change is committed, and it will catch up.
 */
export async function waitUntilApplied(
  { management }: ConnectedCluster,
  { signal, onProgress }: CallOptions,
): Promise<void> {
  const { head } = await management.cluster(signal);
  try {
    await pollUntil(
      async () => {
        const frontends = await management.frontends(signal);
        return (
          frontends.every(
            (frontend) => frontend.head?.epoch === head.epoch && frontend.head.revision >= head.revision,
          ) || undefined
        );
      },
      {
        what: "every query frontend following the change",
        timeoutMs: PROPAGATION_TIMEOUT_MS,
        everyMs: 10,
        signal,
      },
    );
  } catch (error) {
    if (!TimeoutError.isInstance(error)) throw error;
    onProgress?.({ step: "propagation", state: "failed", message: error.message });
  }
}
