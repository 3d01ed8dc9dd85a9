import { setTimeout as wait } from "node:timers/promises";
import { isAlive, killGroupOfEnded, type ProcessIdentity, signalProcess } from "../process-identity.js";
import { groupEnvironments } from "./group-environments.js";

const LOOK_INTERVAL_MS = 20;
/** Instances that notice the end of their supervisor take this long at most. */
export const LEFTOVER_GRACE_MS = 5_000;

export interface LeftoversOptions {
  /** Whose processes they were. */
  readonly cluster: string;
  readonly graceMs?: number;
}

/**
 * Ends processes that an earlier supervisor started and that are still there, and what is still there of those they started. A number
 * that is somebody else's by now is left alone.
 */
export async function endLeftovers(
  processes: readonly ProcessIdentity[],
  { cluster, graceMs = LEFTOVER_GRACE_MS }: LeftoversOptions,
): Promise<void> {
  await Promise.all(
    processes.map(async (identity) => {
      if (!signalProcess(identity, "SIGTERM", "process")) return killOrphans(identity, cluster);
      if (await hasEnded(identity, graceMs)) return killGroupOfEnded(identity.pid);
      signalProcess(identity, "SIGKILL", "group");
      await hasEnded(identity, graceMs);
    }),
  );
}

/** Its leader ended unseen: since then the group's number may have become another's, which what is in it tells. */
function killOrphans({ pid }: ProcessIdentity, cluster: string): void {
  const environments = groupEnvironments(pid);
  const isOurs = environments.some((environment) => environment.get("CLIPPER_CLUSTER") === cluster);
  if (isOurs) killGroupOfEnded(pid);
}

async function hasEnded(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (isAlive(identity)) {
    if (performance.now() > until) return false;
    await wait(LOOK_INTERVAL_MS);
  }
  return true;
}
