import { acceptLoss, restoreState } from "@clipper-serving/control";
import type { RestoredState } from "@clipper-serving/spec";
import { parseBody } from "../http/parse-body.js";
import type { Route } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import { acceptLossBody, RESTORE_BYTES, restoreBody } from "./restore-schemas.js";

export function restoreRoutes(state: ClusterState): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/restore",
      maxBodyBytes: RESTORE_BYTES,
      handle: async ({ body }) => {
        const wanted = parseBody(restoreBody, body());
        const { result, view } = await state.mutate((before) => restoreState(before, wanted), {
          whenLost: true,
        });
        return { status: 200, body: { head: view.head, origin: result } satisfies RestoredState };
      },
    },
    {
      method: "POST",
      path: "/v1/accept-loss",
      handle: async ({ body }) => {
        const wanted = parseBody(acceptLossBody, body());
        const { result, view } = await state.mutate((before) => acceptLoss(before, wanted), {
          whenLost: true,
        });
        return { status: 200, body: { head: view.head, origin: result } satisfies RestoredState };
      },
    },
  ];
}
