import type { FrontendRegistry } from "../frontends/frontend-registry.js";
import type { Route } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import type { WatchStreams } from "../watch/watch-stream.js";
import { applicationRoutes } from "./applications.js";
import { clusterRoutes } from "./cluster.js";
import { frontendRoutes } from "./frontends.js";
import { modelRoutes } from "./models.js";
import { operationRoutes } from "./operations.js";
import { restoreRoutes } from "./restore.js";
import { watchRoutes } from "./watch.js";
import { workloadRoutes } from "./workloads.js";

export interface V1RoutesOptions {
  readonly cluster: string;
  readonly version: string;
  readonly state: ClusterState;
  readonly frontends: FrontendRegistry;
  readonly streams: WatchStreams;
  readonly nowMs: () => number;
}

/** The table of `management-api.ts` in `@clipper-serving/spec`; a test holds the two against each other. */
export function v1Routes(options: V1RoutesOptions): Route[] {
  const { cluster, version, state, frontends, streams, nowMs } = options;
  return [
    ...clusterRoutes({ cluster, version, state, frontends }),
    ...applicationRoutes(state),
    ...modelRoutes(state),
    ...workloadRoutes(state),
    ...operationRoutes({ state, nowMs }),
    ...frontendRoutes({ state, frontends }),
    ...restoreRoutes(state),
    ...watchRoutes(streams),
  ];
}
