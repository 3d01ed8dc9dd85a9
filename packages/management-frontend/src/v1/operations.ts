import { randomBytes } from "node:crypto";
import { beginOperation, finishOperation, renewOperation, switchOperation } from "@clipper-serving/control";
import type { OperationRecord, Stored } from "@clipper-serving/spec";
import { checkIfMatch } from "../http/entity-tag.js";
import { parseBody } from "../http/parse-body.js";
import { param, type Route } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import { found, listed, shown } from "./answers.js";
import { checkContainerName } from "./container-name.js";
import {
  beginOperationBody,
  finishOperationBody,
  registerVersionBody,
  renewOperationBody,
} from "./schemas.js";

export interface OperationRoutesOptions {
  readonly state: ClusterState;
  /** Wall clock, ms since 1970: leases outlive this process. */
  readonly nowMs: () => number;
}

export function operationRoutes({ state, nowMs }: OperationRoutesOptions): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/operations",
      handle: async () => listed((await state.read()).operations()),
    },
    {
      method: "GET",
      path: "/v1/operations/{id}",
      handle: async (request) =>
        shown(operationOf((await state.read()).operation(param(request, "id")), request)),
    },
    {
      method: "POST",
      path: "/v1/operations",
      handle: async ({ body }) => {
        const wanted = parseBody(beginOperationBody, body());
        const id = wanted.id ?? `op-${randomBytes(8).toString("hex")}`;
        const { result } = await state.mutate((view) => beginOperation(view, wanted, { id, nowMs: nowMs() }));
        return { status: result.unchanged ? 200 : 201, body: result };
      },
    },
    {
      method: "PUT",
      path: "/v1/operations/{id}",
      handle: async (request) => {
        const id = param(request, "id");
        const wanted = parseBody(renewOperationBody, request.body());
        const { view } = await state.mutate((before) => {
          checkIfMatch(request.ifMatch, before.operation(id)?.revision);
          return renewOperation(before, id, wanted, { nowMs: nowMs() });
        });
        return shown(operationOf(view.operation(id), request));
      },
    },
    {
      method: "POST",
      path: "/v1/operations/{id}/switch",
      handle: async (request) => {
        const wanted = parseBody(registerVersionBody, request.body());
        checkContainerName(wanted.containerName);
        const { result, view } = await state.mutate((before) =>
          switchOperation(before, param(request, "id"), wanted, { nowMs: nowMs() }),
        );
        return shown(view.model(result.name)!);
      },
    },
    {
      method: "POST",
      path: "/v1/operations/{id}/finish",
      handle: async (request) => {
        const id = param(request, "id");
        const wanted = parseBody(finishOperationBody, request.body() ?? {});
        const { view } = await state.mutate((before) =>
          finishOperation(before, id, wanted, { nowMs: nowMs() }),
        );
        return shown(operationOf(view.operation(id), request));
      },
    },
  ];
}

function operationOf(
  record: Stored<OperationRecord> | undefined,
  request: { readonly params: Readonly<Record<string, string>> },
): Stored<OperationRecord> {
  return found(record, "operation", request.params.id!);
}
