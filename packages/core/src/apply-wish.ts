import type { CallOptions } from "@clipper-serving/spec";
import type { ConnectedCluster } from "./connected-cluster.js";

/**
 * Has the platform told all that is wished for, and learns what it said to one workload's.
 * @throws what the platform refused that workload with: waiting would not mend it
 */
export async function applyWish(
  { controller }: Pick<ConnectedCluster, "controller">,
  workload: string,
  { signal }: CallOptions,
): Promise<void> {
  const { failed } = await controller.runOnce(signal === undefined ? {} : { signal });
  const refused = failed.find(({ action }) => action.id === workload);
  if (refused !== undefined) throw refused.error;
}
