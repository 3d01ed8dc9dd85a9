import type { CallOptions } from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";
import { removeUnusedEnvironments } from "./environment-garbage.js";
import { nameAllThatIsNeeded } from "./recovery/apart.js";

const STEP = "garbage-collect";

/**
 * Removes from this machine what no version of the cluster needs any more: its bundles, and environments. For the end of what made them needless, which it
 * never makes fail: what is left is only disk, and the next one finds it.
 */
export async function collectGarbage(
  {
    bundles,
    home,
    management,
    manager,
    ref,
  }: Pick<ConnectedCluster, "bundles" | "home" | "management" | "manager" | "ref">,
  { signal, onProgress }: CallOptions,
): Promise<void> {
  const call = signal === undefined ? {} : { signal };
  const named = async () =>
    new Set((await management.cluster(signal)).versions.map(({ bundleDigest }) => bundleDigest));
  try {
    const running = await manager.list(ref, call);
    if (!nameAllThatIsNeeded(await management.cluster(signal), running)) {
      onProgress?.({
        step: STEP,
        state: "skipped",
        message: "nothing is removed: records may be lost that need it",
      });
      return;
    }
    const removed = await bundles.prune(named, call);
    const environments = await removeUnusedEnvironments(home);
    if (removed.length + environments === 0) return;
    const message = `removed ${removed.length} bundles and ${environments} environments that no version needs`;
    onProgress?.({ step: STEP, state: "done", message });
  } catch (error) {
    tellFailure(error, onProgress);
  }
}

/** As `collectGarbage`, of a cluster that is gone: what is left of it are environments. */
export async function collectEnvironments(home: string, { onProgress }: CallOptions): Promise<void> {
  try {
    await removeUnusedEnvironments(home);
  } catch (error) {
    tellFailure(error, onProgress);
  }
}

function tellFailure(error: unknown, onProgress: CallOptions["onProgress"]): void {
  const why = error instanceof Error ? error.message : String(error);
  onProgress?.({ step: STEP, state: "failed", message: `what no version needs is not removed yet: ${why}` });
}
