import { registerVersion, setCurrentVersion, unregisterVersion } from "@clipper-serving/control";
import { type ModelVersion, modelVersionKey } from "@clipper-serving/spec";
import { checkIfMatch } from "../http/entity-tag.js";
import { parseBody } from "../http/parse-body.js";
import { param, type Route, type RouteRequest } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import { found, listed, NO_CONTENT, shown } from "./answers.js";
import { checkContainerName } from "./container-name.js";
import { putCurrentBody, registerVersionBody } from "./schemas.js";

export function modelRoutes(state: ClusterState): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/models",
      handle: async () => listed((await state.read()).models()),
    },
    {
      method: "GET",
      path: "/v1/models/{model}",
      handle: async (request) => {
        const model = param(request, "model");
        return shown(found((await state.read()).model(model), "model", model));
      },
    },
    {
      method: "GET",
      path: "/v1/models/{model}/versions",
      handle: async (request) => {
        const model = param(request, "model");
        const view = await state.read();
        found(view.model(model), "model", model);
        return listed(view.versionsOf(model));
      },
    },
    {
      method: "GET",
      path: "/v1/models/{model}/versions/{version}",
      handle: async (request) => {
        const target = targetOf(request);
        return shown(found((await state.read()).version(target), "version", modelVersionKey(target)));
      },
    },
    {
      method: "POST",
      path: "/v1/models/{model}/versions",
      handle: async (request) => {
        const model = param(request, "model");
        const wanted = parseBody(registerVersionBody, request.body());
        checkContainerName(wanted.containerName);
        const { view } = await state.mutate((before) => registerVersion(before, model, wanted));
        return shown(view.version({ model, version: wanted.version })!, 201);
      },
    },
    {
      method: "DELETE",
      path: "/v1/models/{model}/versions/{version}",
      handle: async (request) => {
        const target = targetOf(request);
        await state.mutate((view) => {
          const version = found(view.version(target), "version", modelVersionKey(target));
          checkIfMatch(request.ifMatch, version.revision);
          return unregisterVersion(view, target);
        });
        return NO_CONTENT;
      },
    },
    {
      method: "PUT",
      path: "/v1/models/{model}/current",
      handle: async (request) => {
        const name = param(request, "model");
        const wanted = parseBody(putCurrentBody, request.body());
        const { view } = await state.mutate((before) => {
          const model = found(before.model(name), "model", name);
          checkIfMatch(request.ifMatch, model.revision);
          return setCurrentVersion(before, name, wanted);
        });
        return shown(view.model(name)!);
      },
    },
  ];
}

function targetOf(request: RouteRequest): ModelVersion {
  return { model: param(request, "model"), version: param(request, "version") };
}
