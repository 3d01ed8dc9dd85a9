import type { Round } from "@clipper-serving/control";
import { type CallOptions, modelVersionKey } from "@clipper-serving/spec";
import type { ManagementClient } from "./management-client.js";

/** Tells as progress what the platform refused to run in a round: it is tried again, and a person may have to do something about it. */
export async function tellRefusals(
  { failed }: Round,
  management: Pick<ManagementClient, "cluster">,
  { signal, onProgress }: CallOptions,
): Promise<void> {
  const refused = failed.filter(({ action }) => action.kind === "apply");
  if (refused.length === 0 || onProgress === undefined) return;
  const { versions } = await management.cluster(signal);
  for (const { action, error } of refused) {
    const version = versions.find(({ workload }) => workload === action.id);
    const whose = version === undefined ? action.id : `replicas of ${modelVersionKey(version)}`;
    const message = `${whose}: ${error instanceof Error ? error.message : String(error)}`;
    onProgress({ step: "control", state: "failed", message });
  }
}
