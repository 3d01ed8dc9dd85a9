import { createApplication, deleteApplication, putRoutes } from "@clipper-serving/control";
import { checkIfMatch } from "../http/entity-tag.js";
import { parseBody } from "../http/parse-body.js";
import { param, type Route } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import { found, listed, NO_CONTENT, shown } from "./answers.js";
import { checkDefaultOutput } from "./default-output.js";
import { createApplicationBody, putRoutesBody } from "./schemas.js";

export function applicationRoutes(state: ClusterState): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/applications",
      handle: async () => listed((await state.read()).applications()),
    },
    {
      method: "GET",
      path: "/v1/applications/{name}",
      handle: async (request) => {
        const name = param(request, "name");
        return shown(found((await state.read()).application(name), "application", name));
      },
    },
    {
      method: "POST",
      path: "/v1/applications",
      handle: async ({ body }) => {
        const wanted = parseBody(createApplicationBody, body());
        checkDefaultOutput(wanted.defaultOutput);
        const { view } = await state.mutate((before) => createApplication(before, wanted));
        return shown(view.application(wanted.name)!, 201);
      },
    },
    {
      method: "DELETE",
      path: "/v1/applications/{name}",
      handle: async (request) => {
        const name = param(request, "name");
        await state.mutate((view) => {
          const application = found(view.application(name), "application", name);
          checkIfMatch(request.ifMatch, application.revision);
          return deleteApplication(view, name);
        });
        return NO_CONTENT;
      },
    },
    {
      method: "PUT",
      path: "/v1/applications/{name}/routes",
      handle: async (request) => {
        const name = param(request, "name");
        const wanted = parseBody(putRoutesBody, request.body());
        const { view } = await state.mutate((before) => {
          const application = found(before.application(name), "application", name);
          checkIfMatch(request.ifMatch, application.revision);
          return putRoutes(before, name, wanted);
        });
        return shown(view.application(name)!);
      },
    },
  ];
}
