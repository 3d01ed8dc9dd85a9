import type { FrontendView, ModelRecord, Stored } from "@clipper-serving/spec";
import { expect, it } from "vitest";
import type { ManagementClient } from "./management-client.js";
import { waitUntilServed } from "./serving-versions.js";

/** Frontends that come to serve one version after another, each time they are looked at. */
function management(served: readonly string[], current: string) {
  let looked = 0;
  const client: Pick<ManagementClient, "frontends" | "model"> = {
    async frontends() {
      const version = served[Math.min(looked, served.length - 1)];
      looked += 1;
      return [{ serving: { m: version } } as unknown as FrontendView];
    },
    model: async () => ({ name: "m", currentVersion: current }) as unknown as Stored<ModelRecord>,
  };
  return { management: client as ManagementClient, looked: () => looked };
}

it("waits until the frontends have moved", async () => {
  const cluster = management(["1", "1", "2"], "2");
  await waitUntilServed(cluster, { model: "m", version: "2" });
  expect(cluster.looked()).toBe(3);
});

it("waits no longer for a version that another has followed, and says so", async () => {
  const told: string[] = [];
  const cluster = management(["1", "3"], "3");
  const onProgress = ({ message }: { message: string }) => void told.push(message);
  await waitUntilServed(cluster, { model: "m", version: "2" }, { onProgress });
  expect(cluster.looked()).toBe(1);
  expect(told).toEqual(["m:3 has been made current after m:2"]);
});
