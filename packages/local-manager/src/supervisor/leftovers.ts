import { setTimeout as wait } from "node:timers/promises";
import { isAlive, type ProcessIdentity, signalProcess } from "../process-identity.js";

const LOOK_INTERVAL_MS = 20;
/** Instances that notice the end of their supervisor take this long at most. */
export const LEFTOVER_GRACE_MS = 5_000;

/** Ends processes that an earlier supervisor started and that are still there. A number that is somebody else's by now is left alone. */
export async function endLeftovers(
  processes: readonly ProcessIdentity[],
  graceMs: number = LEFTOVER_GRACE_MS,
): Promise<void> {
  await Promise.all(
    processes.map(async (identity) => {
      if (!signalProcess(identity, "SIGTERM", "process")) return;
      if (await hasEnded(identity, graceMs)) return;
      signalProcess(identity, "SIGKILL", "group");
      await hasEnded(identity, graceMs);
    }),
  );
}

async function hasEnded(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (isAlive(identity)) {
    if (performance.now() > until) return false;
    await wait(LOOK_INTERVAL_MS);
  }
  return true;
}
