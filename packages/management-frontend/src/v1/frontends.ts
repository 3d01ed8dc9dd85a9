import { InvalidArgumentError } from "@clipper-serving/spec";
import type { FrontendRegistry } from "../frontends/frontend-registry.js";
import { parseBody } from "../http/parse-body.js";
import { param, type Route } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import { isLostFrom } from "../state/lost-state.js";
import { listed, NO_CONTENT } from "./answers.js";
import { checkFrontendUrl } from "./frontend-url.js";
import { SNAPSHOT_BYTES, snapshotBody } from "./restore-schemas.js";
import { frontendReportBody } from "./schemas.js";

export interface FrontendRoutesOptions {
  readonly state: ClusterState;
  readonly frontends: FrontendRegistry;
}

export function frontendRoutes({ state, frontends }: FrontendRoutesOptions): Route[] {
  return [
    { method: "GET", path: "/v1/replicas", handle: () => listed(frontends.replicas()) },
    { method: "GET", path: "/v1/frontends", handle: () => listed(frontends.live()) },
    {
      method: "PUT",
      path: "/v1/frontends/{id}",
      handle: (request) => {
        const report = parseBody(frontendReportBody, request.body());
        if (report.id !== param(request, "id")) {
          throw new InvalidArgumentError({
            argument: "id",
            value: report.id,
            expected: "the id in the path",
          });
        }
        checkFrontendUrl(report.url);
        return { status: 200, body: frontends.report(report, (head) => isLostFrom(state.head, head)) };
      },
    },
    {
      method: "PUT",
      path: "/v1/frontends/{id}/snapshot",
      maxBodyBytes: SNAPSHOT_BYTES,
      handle: (request) => {
        frontends.hold(param(request, "id"), parseBody(snapshotBody, request.body()));
        return NO_CONTENT;
      },
    },
    { method: "GET", path: "/v1/snapshots", handle: () => listed(frontends.snapshots()) },
  ];
}
