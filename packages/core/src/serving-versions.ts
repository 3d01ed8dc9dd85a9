import type { CallOptions, ModelVersion } from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";
import { pollUntil } from "./polling.js";

const SERVED_TIMEOUT_MS = 30_000;

/**
 * Waits until every live query frontend sends the model's current queries to `target`, which was made current before. Where somebody else has made another
 * version current meanwhile, there is nothing to wait for any more.
 */
export async function waitUntilServed(
  { management }: Pick<ConnectedCluster, "management">,
  { model, version }: ModelVersion,
  { signal, onProgress }: CallOptions = {},
): Promise<void> {
  await pollUntil(
    async () => {
      const frontends = await management.frontends(signal);
      if (frontends.length > 0 && frontends.every(({ serving }) => serving[model] === version)) return true;
      const current = (await management.model(model, signal))?.currentVersion;
      if (current === version) return undefined;
      const message = `${model}:${current ?? "none"} has been made current after ${model}:${version}`;
      onProgress?.({ step: "switch", state: "advanced", message });
      return true;
    },
    {
      what: `every query frontend serving ${model}:${version}`,
      timeoutMs: SERVED_TIMEOUT_MS,
      everyMs: 25,
      signal,
      hint: "look at `clipper status`: a frontend moves once a replica of the version is connected to it",
    },
  );
}
