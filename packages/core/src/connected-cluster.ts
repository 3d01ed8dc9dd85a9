import type { Controller } from "@clipper-serving/control";
import type { BundleStore, ClusterRef, ContainerManager } from "@clipper-serving/spec";
import type { RunningCluster } from "./cluster-parts.js";
import type { ManagementClient } from "./management-client.js";
import type { PredictionClient } from "./prediction-client.js";

/** What a connection holds while it is connected. */
export interface ConnectedCluster extends RunningCluster {
  readonly ref: ClusterRef;
  readonly manager: ContainerManager;
  readonly bundles: BundleStore;
  /** Where this machine remembers clusters and keeps what their models are made of. */
  readonly home: string;
  readonly management: ManagementClient;
  readonly predictions: PredictionClient;
  /** Makes wishes true within a call; another of its kind does so all the time beside the platform. */
  readonly controller: Controller;
}
