import { setTimeout as wait } from "node:timers/promises";
import type { Engine } from "../engine/engine.js";
import { engineEvents } from "../engine/events.js";
import { clusterFilter, kindFilter } from "./labels.js";

const ACTIONS = ["create", "start", "die", "oom", "stop", "kill", "pause", "unpause", "destroy"] as const;
const AGAIN_AFTER_MS = 1_000;

/**
 * Yields for what the engine says of a cluster's containers. Where its answer ends, as when the engine is started again, it is asked for what
 * happened since, once a second until the signal aborts.
 */
export async function* clusterChanges(
  connect: () => Promise<Engine>,
  cluster: string,
  signal: AbortSignal,
): AsyncGenerator<void> {
  let since: string | undefined;
  while (!signal.aborted) {
    try {
      const events = engineEvents((await connect()).client, {
        labels: [clusterFilter(cluster), kindFilter("instance")],
        actions: ACTIONS,
        since,
        signal,
      });
      for await (const { timeNano } of events) {
        since = afterNanoseconds(timeNano);
        yield;
      }
    } catch {
      // A hint is all this is: whoever lists is told why the engine cannot be asked.
    }
    if (signal.aborted) return;
    // Something may have changed while nobody listened.
    yield;
    try {
      await wait(AGAIN_AFTER_MS, undefined, { signal });
    } catch {
      // Only the signal ends a wait early.
      return;
    }
  }
}

/** Numbers of nanoseconds are too large to be exact: a microsecond early, so that nothing is left out. */
function afterNanoseconds(timeNano: number): string {
  const micros = Math.floor(timeNano / 1_000) - 1;
  return `${Math.floor(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, "0")}`;
}
