import type { BundleStore, CallOptions } from "@clipper-serving/spec";
import { BackgroundControl } from "./background-control.js";
import { createController } from "./cluster-controller.js";
import { whyGone } from "./cluster-gone.js";
import { hasOwnController } from "./cluster-lifecycle.js";
import type { ClusterParts, RunningCluster } from "./cluster-parts.js";
import type { ConnectedCluster } from "./connected-cluster.js";
import { keepWhole } from "./keep-whole.js";
import { ManagementClient } from "./management-client.js";
import { PredictionClient } from "./prediction-client.js";
import { tellRefusals } from "./tell-refusals.js";

/** Disposing of it lets go of sockets; the cluster runs on. */
export type OpenCluster = ConnectedCluster & AsyncDisposable;

/** Connects to a cluster that answers, and does once what a controller would: what is wished for and not there yet. */
export async function openCluster(
  running: RunningCluster,
  parts: ClusterParts & { readonly bundles: BundleStore },
  call: CallOptions,
): Promise<OpenCluster> {
  const { manager, cluster, home, bundles } = parts;
  const { endpoints, secrets } = running;
  const management = new ManagementClient({ ...endpoints.management, whyGone: () => whyGone(parts) });
  const predictions = new PredictionClient(endpoints.query.url);
  let control: BackgroundControl | undefined;
  const letGo = async () => {
    await control?.stop();
    await Promise.all([management.close(), predictions.close()]);
  };
  try {
    const controller = createController({ manager, cluster, management, secrets });
    const round = await controller.runOnce(call.signal === undefined ? {} : { signal: call.signal });
    await tellRefusals(round, management, call);
    // Where no controller runs beside the platform, this process is one for as long as it is connected.
    control = hasOwnController(parts)
      ? undefined
      : new BackgroundControl({ controller, keepWhole: (signal) => keepWhole(parts, signal) });
    return {
      ...running,
      ref: cluster,
      manager,
      bundles,
      home: home.home,
      management,
      predictions,
      controller,
      [Symbol.asyncDispose]: letGo,
    };
  } catch (error) {
    await letGo();
    throw error;
  }
}
