import { deleteWorkload, putInstances, putWorkload } from "@clipper-serving/control";
import { InvalidArgumentError } from "@clipper-serving/spec";
import { checkIfMatch } from "../http/entity-tag.js";
import { parseBody } from "../http/parse-body.js";
import { param, type Route } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import { listed, NO_CONTENT, shown } from "./answers.js";
import { putInstancesBody, workloadBody } from "./schemas.js";

export function workloadRoutes(state: ClusterState): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/workloads",
      handle: async () => listed((await state.read()).workloads()),
    },
    {
      method: "PUT",
      path: "/v1/workloads/{id}",
      handle: async (request) => {
        const id = param(request, "id");
        const wanted = parseBody(workloadBody, request.body());
        if (wanted.id !== id) {
          throw new InvalidArgumentError({
            argument: "id",
            value: wanted.id,
            expected: "the id in the path",
          });
        }
        const { view } = await state.mutate((before) => {
          checkIfMatch(request.ifMatch, before.workload(id)?.revision);
          return putWorkload(before, wanted);
        });
        return shown(view.workload(id)!);
      },
    },
    {
      method: "PUT",
      path: "/v1/workloads/{id}/instances",
      handle: async (request) => {
        const id = param(request, "id");
        const wanted = parseBody(putInstancesBody, request.body());
        const { view } = await state.mutate((before) => {
          checkIfMatch(request.ifMatch, before.workload(id)?.revision);
          return putInstances(before, id, wanted);
        });
        return shown(view.workload(id)!);
      },
    },
    {
      method: "DELETE",
      path: "/v1/workloads/{id}",
      handle: async (request) => {
        const id = param(request, "id");
        await state.mutate((view) => {
          const workload = view.workload(id);
          // Removing what is not there has happened already, whatever revision it had.
          if (workload !== undefined) checkIfMatch(request.ifMatch, workload.revision);
          return deleteWorkload(view, id);
        });
        return NO_CONTENT;
      },
    },
  ];
}
