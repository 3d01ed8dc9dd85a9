import type { ClusterView } from "@clipper-serving/spec";
import type { FrontendRegistry } from "../frontends/frontend-registry.js";
import type { Route } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import { NO_CONTENT } from "./answers.js";

export interface ClusterRoutesOptions {
  readonly cluster: string;
  /** Of this package. */
  readonly version: string;
  readonly state: ClusterState;
  readonly frontends: FrontendRegistry;
}

export function clusterRoutes({ cluster, version, state, frontends }: ClusterRoutesOptions): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/cluster",
      handle: async () => {
        const view = await state.read();
        const origin = view.origin();
        const body: ClusterView = {
          cluster,
          head: view.head,
          state: view.head.revision === 0 ? "new" : "in-use",
          ...(origin === undefined ? {} : { origin }),
          store: state.storeName,
          version,
          applications: view.applications(),
          models: view.models(),
          versions: view.versions(),
          workloads: view.workloads(),
          operations: view.operations(),
          frontends: frontends.live(),
        };
        return { status: 200, body };
      },
    },
    {
      method: "DELETE",
      path: "/v1/cluster",
      handle: async () => {
        await state.destroy();
        return NO_CONTENT;
      },
    },
    {
      method: "GET",
      path: "/v1/prometheus/targets",
      handle: () => ({
        status: 200,
        // Prometheus' own format: a bare array.
        body: frontends
          .live()
          .filter(({ url }) => url !== "")
          .map(({ id, url }) => ({
            targets: [new URL(url).host],
            labels: {
              __scheme__: new URL(url).protocol.slice(0, -1),
              clipper_cluster: cluster,
              clipper_frontend: id,
            },
          })),
      }),
    },
  ];
}
