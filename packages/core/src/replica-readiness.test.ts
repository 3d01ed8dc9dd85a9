import type { FrontendView, InstanceStatus, ReplicaReport } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import type { ConnectedCluster } from "./connected-cluster.js";
import { restartsOf, waitForReplicas } from "./replica-readiness.js";

const TARGET = { model: "m", version: "1" };
const WORKLOAD = "replica-new";

/** A cluster of which each look shows the next of `looks`, and then the last one again. */
function clusterShowing(
  looks: readonly { connected?: readonly string[]; instances?: readonly Partial<InstanceStatus>[] }[],
): ConnectedCluster & { readonly looked: () => number } {
  let looked = 0;
  const now = () => looks[Math.min(looked, looks.length) - 1] ?? looks[0];
  const report = (replicaId: string) => ({ ...TARGET, replicaId, state: "ready" }) as ReplicaReport;
  return {
    looked: () => looked,
    ref: { name: "c" },
    management: {
      frontends: async () => {
        looked += 1;
        return [{ replicas: (now()?.connected ?? []).map(report) } as unknown as FrontendView];
      },
    },
    manager: {
      list: async () => [
        {
          id: WORKLOAD,
          instances: (now()?.instances ?? []).map((instance) => ({
            state: "running",
            restarts: 0,
            ...instance,
          })),
        },
      ],
      async *logs() {},
    },
  } as unknown as ConnectedCluster & { looked: () => number };
}

const wait = (cluster: ConnectedCluster, replicas: number, restartsBefore?: ReadonlyMap<string, number>) =>
  waitForReplicas(
    cluster,
    {
      target: TARGET,
      purpose: "scaling m:1",
      workload: WORKLOAD,
      replicas,
      ...(restartsBefore === undefined ? {} : { restartsBefore }),
    },
    { timeoutMs: 2_000 },
  );

describe("waitForReplicas", () => {
  it("does not take another workload's replicas of the same version for its own", async () => {
    const cluster = clusterShowing([
      { connected: ["replica-old-1"], instances: [{ id: "replica-new-1" }] },
      { connected: ["replica-old-1"], instances: [{ id: "replica-new-1" }] },
      { connected: ["replica-old-1", "replica-new-1"], instances: [{ id: "replica-new-1" }] },
    ]);
    await wait(cluster, 1);
    expect(cluster.looked()).toBe(3);
  });

  it("waits until surplus replicas are neither connected nor running", async () => {
    const instances = [{ id: "replica-new-1" }, { id: "replica-new-2", state: "stopping" as const }];
    const cluster = clusterShowing([
      { connected: ["replica-new-1", "replica-new-2"], instances },
      { connected: ["replica-new-1"], instances },
      { connected: ["replica-new-1"], instances: instances.slice(0, 1) },
    ]);
    await wait(cluster, 1);
    expect(cluster.looked()).toBe(3);
  });

  it("gives up on a replica that ends again and again, naming how it ended", async () => {
    const cluster = clusterShowing([{ instances: [{ id: "replica-new-1", restarts: 3, exitCode: 137 }] }]);
    await expect(wait(cluster, 1)).rejects.toMatchObject({
      code: "REPLICA_FAILED",
      message: "scaling m:1 failed: the replica ended with exit code 137",
      facts: { exitCode: 137 },
    });
  });

  it("gives up on a replica that the platform cannot start, as the platform says it", async () => {
    const reason = "cannot be started: no such file";
    const cluster = clusterShowing([
      { instances: [{ id: "replica-new-1", state: "exited", exitCode: 127, reason }] },
    ]);
    await expect(wait(cluster, 1)).rejects.toMatchObject({
      code: "REPLICA_FAILED",
      message: `scaling m:1 failed: ${reason}`,
    });
  });

  it("says what it waited for in vain, and what the platform says of it", async () => {
    const cluster = clusterShowing([{ instances: [{ id: "replica-new-1", reason: "paused by hand" }] }]);
    await expect(wait(cluster, 1)).rejects.toMatchObject({
      name: "ReplicaError",
      code: "REPLICA_NOT_READY",
      message: expect.stringMatching(
        /^scaling m:1 failed: 1 replicas of m:1 being connected did not happen.*; replica-new-1: paused by hand$/,
      ),
    });
  });

  it("does not hold against a replica what it went through before", async () => {
    const veteran = { id: "replica-new-1", restarts: 7, exitCode: 3 };
    const cluster = clusterShowing([
      { connected: ["replica-new-1"], instances: [veteran] },
      { connected: ["replica-new-1", "replica-new-2"], instances: [veteran, { id: "replica-new-2" }] },
    ]);
    await wait(cluster, 2, await restartsOf(cluster, WORKLOAD));
    expect(cluster.looked()).toBe(2);
  });
});
