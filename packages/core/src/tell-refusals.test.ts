import type { ActionFailure } from "@clipper-serving/control";
import { type ClusterView, ManagerError } from "@clipper-serving/spec";
import { expect, it } from "vitest";
import { tellRefusals } from "./tell-refusals.js";

const failure = (id: string, message: string): ActionFailure => ({
  action: { kind: "apply", id, why: "" },
  error: new ManagerError({ manager: "fake", message }),
});

it("names the version whose replicas the platform refused, and why", async () => {
  const view = { versions: [{ model: "m", version: "1", workload: "replica-1" }] } as unknown as ClusterView;
  const management = { cluster: async () => view } as unknown as Parameters<typeof tellRefusals>[1];
  const told: string[] = [];
  const onProgress = ({ state, message }: { state: string; message: string }) =>
    void told.push(`${state} ${message}`);
  const failed = [failure("replica-1", "there is no image m:1"), failure("replica-2", "no room")];
  await tellRefusals({ done: [], failed }, management, { onProgress });
  expect(told).toEqual(["failed replicas of m:1: there is no image m:1", "failed replica-2: no room"]);
});
