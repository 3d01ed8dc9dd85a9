import type { CallOptions, ModelVersion } from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";
import { pollUntil } from "./polling.js";

const SERVED_TIMEOUT_MS = 30_000;

/** Waits until every live query frontend sends the model's current queries to `target`. */
export async function waitUntilServed(
  { management }: ConnectedCluster,
  { model, version }: ModelVersion,
  { signal }: CallOptions = {},
): Promise<void> {
  await pollUntil(
    async () => {
      const frontends = await management.frontends(signal);
      return (
        (frontends.length > 0 && frontends.every(({ serving }) => serving[model] === version)) || undefined
      );
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
