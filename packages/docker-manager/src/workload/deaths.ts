import type { Engine } from "../engine/engine.js";
import { engineEvents } from "../engine/events.js";
import { clusterFilter, kindFilter } from "./labels.js";

/** How a container's last run ended. */
export interface Death {
  readonly exitCode?: number;
  readonly oomKilled: boolean;
}

/**
 * How containers that run again ended before: the engine forgets a run's exit code when the next begins, and keeps its last events.
 * @returns by container; without those whose end is too long ago for the engine
 */
export async function lastDeaths(engine: Engine, cluster: string): Promise<ReadonlyMap<string, Death>> {
  const deaths = new Map<string, Death>();
  // By the engine's own clock, which may be far from ours: of what is to come it would wait for the end.
  const { SystemTime } = await engine.info();
  const nowMs = SystemTime === undefined ? Date.now() : Date.parse(SystemTime);
  const outOfMemory = new Set<string>();
  const events = engineEvents(engine.client, {
    labels: [clusterFilter(cluster), kindFilter("instance")],
    actions: ["die", "oom"],
    since: "0",
    until: (nowMs / 1_000).toFixed(3),
  });
  for await (const { Action, Actor } of events) {
    if (Action === "oom") {
      outOfMemory.add(Actor.ID);
      continue;
    }
    const exitCode = Number(Actor.Attributes?.exitCode);
    deaths.set(Actor.ID, {
      ...(Number.isInteger(exitCode) ? { exitCode } : {}),
      oomKilled: outOfMemory.delete(Actor.ID),
    });
  }
  return deaths;
}
