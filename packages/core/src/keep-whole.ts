import { setTimeout as sleep } from "node:timers/promises";
import { missingWorkloads, putBackMissing } from "./cluster-lifecycle.js";
import type { ClusterParts } from "./cluster-parts.js";

const LOOK_EVERY_MS = 2_000;

/**
 * Puts back frontends that somebody removed from the platform, as a controller puts back replicas, until `signal` aborts. What is only down is the platform's
 * to start again.
 */
export async function keepWhole(parts: ClusterParts, signal: AbortSignal): Promise<void> {
  let wasMissing = false;
  while (!signal.aborted) {
    try {
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false });
      const isMissing = (await missingWorkloads(parts, { signal })).length > 0;
      // Missing once may be a change under way; and who takes a cluster down says so before anything goes.
      if (isMissing && wasMissing) await putBackMissing(parts, { signal });
      wasMissing = isMissing;
    } catch {
      // The platform is away, or refuses: the next look tries again. Called off: the loop ends.
    }
  }
}
