import { Controller, type ControllerOptions } from "@clipper-serving/control";
import { type ClusterRef, type ContainerManager, systemClock } from "@clipper-serving/spec";
import type { ClusterSecrets } from "./cluster-secrets.js";
import type { ManagementClient } from "./management-client.js";

/** @returns a controller that reads a cluster's wishes from its management frontend over HTTP */
export function createController(options: {
  readonly manager: ContainerManager;
  readonly cluster: ClusterRef;
  readonly management: ManagementClient;
  readonly secrets: ClusterSecrets;
  readonly onEvent?: NonNullable<ControllerOptions["onEvent"]>;
}): Controller {
  const { manager, cluster, management, secrets, onEvent } = options;
  return new Controller({
    manager,
    cluster,
    clock: systemClock,
    // Only what replicas may read: none of them is told management's token.
    secrets: { rpc: secrets.rpc },
    management: {
      async desired({ signal } = {}) {
        const { head, origin, workloads, operations } = await management.cluster(signal);
        return { head, origin, workloads, operations, nowMs: Date.now() };
      },
      finishOperation: (id, body, { signal } = {}) => management.finishOperation(id, body, signal),
      deleteWorkload: (id, { signal } = {}) => management.deleteWorkload(id, signal),
    },
    ...(onEvent === undefined ? {} : { onEvent }),
  });
}
