import { InvalidArgumentError } from "@clipper-serving/spec";
import type { FrontendRegistry } from "../frontends/frontend-registry.js";
import { parseBody } from "../http/parse-body.js";
import { param, type Route } from "../http/route.js";
import { listed } from "./answers.js";
import { checkFrontendUrl } from "./frontend-url.js";
import { frontendReportBody } from "./schemas.js";

export function frontendRoutes(frontends: FrontendRegistry): Route[] {
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
        return { status: 200, body: frontends.report(report) };
      },
    },
  ];
}
