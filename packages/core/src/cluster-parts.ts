import type {
  CallOptions,
  ClusterEndpoints,
  ClusterRef,
  ContainerManager,
  ContainerManagerOrigin,
} from "@clipper-serving/spec";
import type { ClusterHome } from "./cluster-home.js";
import type { ClusterSecrets } from "./cluster-secrets.js";
import type { StateRestoration } from "./recovery/recover-state.js";

export interface ClusterParts {
  readonly manager: ContainerManager;
  readonly cluster: ClusterRef;
  readonly home: ClusterHome;
  /** How the manager is made again in another process, where it can be. */
  readonly origin: ContainerManagerOrigin | undefined;
}

export interface StartOptions extends CallOptions {
  /** Begin anew where records were lost and cannot be restored; replicas that no record wants end. Default false: `STATE_LOST`. */
  readonly acceptStateLoss?: boolean;
}

/** A cluster that answers: where, and what it trusts. */
export interface RunningCluster {
  /** What was restored of its records just now, had they been lost. */
  readonly restored?: StateRestoration | undefined;
  readonly endpoints: ClusterEndpoints;
  readonly secrets: ClusterSecrets;
  /** Where replicas dial, as they see it. */
  readonly rpcAddresses: readonly string[];
}
