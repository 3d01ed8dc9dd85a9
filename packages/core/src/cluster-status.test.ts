import type { ClusterView, InstanceStatus, ReplicaReport } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { clusterStatus } from "./cluster-status.js";

const HEAD = { epoch: "e", revision: 3, hash: "0".repeat(64) };

function statusOf(instance: InstanceStatus, report?: ReplicaReport["state"]) {
  const replica = {
    replicaId: "w-0",
    incarnation: "0",
    model: "m",
    version: "1",
    bundleDigest: "",
    state: report ?? "ready",
  } as const;
  const view: ClusterView = {
    cluster: "c",
    head: HEAD,
    state: "in-use",
    store: "memory",
    version: "0.1.0",
    applications: [],
    models: [{ name: "m", inputType: "doubles", currentVersion: "1", revision: 1 }],
    versions: [
      {
        model: "m",
        version: "1",
        inputType: "doubles",
        labels: [],
        bundleDigest: "",
        contentDigest: "d",
        containerName: "x",
        modelDataPath: "",
        batchSize: -1,
        workload: "w",
        replicas: 1,
        revision: 1,
      },
    ],
    workloads: [],
    operations: [],
    frontends: [
      {
        id: "f",
        url: "",
        startedAtMs: 0,
        lastSeenMs: 0,
        replicas: report === undefined ? [] : [replica],
        serving: {},
      },
    ],
  };
  const status = clusterStatus({
    manager: "local",
    endpoints: { query: "q", management: "m" },
    view,
    workloads: [{ id: "w", labels: {}, wanted: 1, specDigest: "d", instances: [instance] }],
  });
  return status.models[0]?.replicas[0];
}

describe("the state of a replica", () => {
  it.each<[InstanceStatus["state"], ReplicaReport["state"] | undefined, string]>([
    ["ready", "ready", "serving"],
    ["ready", undefined, "starting"],
    ["ready", "parked", "starting"],
    ["ready", "suspect", "starting"],
    ["starting", undefined, "starting"],
    ["ready", "draining", "draining"],
    ["stopping", "ready", "draining"],
    ["failed", undefined, "failed"],
    ["exited", undefined, "failed"],
  ])("platform says %s, frontend says %s: %s", (state, report, expected) => {
    expect(statusOf({ id: "w-0", state, restarts: 0 }, report)?.state).toBe(expected);
  });

  it("tells restarts, exit code and reason as the platform does", () => {
    expect(statusOf({ id: "w-0", state: "starting", restarts: 2, exitCode: 137, reason: "killed" })).toEqual({
      id: "w-0",
      state: "starting",
      restarts: 2,
      exitCode: 137,
      oomKilled: false,
      reason: "killed",
    });
  });
});
