import type { Round } from "@clipper-serving/control";
import { ManagerError } from "@clipper-serving/spec";
import { expect, it } from "vitest";
import { applyWish } from "./apply-wish.js";
import type { ConnectedCluster } from "./connected-cluster.js";

it("tells what the platform refused a workload with, and not what it refused another's with", async () => {
  const error = new ManagerError({ manager: "fake", code: "TOO_SMALL", message: "at least 6 MB" });
  const round: Round = { done: [], failed: [{ action: { kind: "apply", id: "mine", why: "" }, error }] };
  const cluster = { controller: { runOnce: async () => round } } as unknown as ConnectedCluster;
  await expect(applyWish(cluster, "mine", {})).rejects.toBe(error);
  await applyWish(cluster, "other", {});
});
