import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { linkModel, unlinkModel } from "./application-operations.js";
import { ManagementClient } from "./management-client.js";
import { switchVersion } from "./model-operations.js";
import { previousVersionOf } from "./model-queries.js";
import { ManagementProcess } from "./test-support/management-process.js";

const CURRENT = { version: "current", weight: 1, mirror: false } as const;

// Starts a program: on a machine with much else to do that takes its time.
describe("changes that two make at once", { timeout: 60_000 }, () => {
  let management: ManagementProcess;
  let client: ManagementClient;

  beforeEach(async () => {
    management = await ManagementProcess.start();
    client = management.client(ManagementClient);
    for (const model of ["one", "other"])
      await client.registerVersion(model, { version: "1", inputType: "doubles" });
    const application = {
      name: "a",
      inputType: "doubles",
      defaultOutput: "-1",
      latencySloMicros: 1_000,
    } as const;
    await client.createApplication(application);
  });

  afterEach(() => management[Symbol.asyncDispose]());

  /** @returns clusters whose first look at an application is over when all of them have looked */
  function clustersThatLookTogether(count: number) {
    const barrier = Promise.withResolvers<void>();
    let looks = 0;
    class Together extends ManagementClient {
      override async application(...args: Parameters<ManagementClient["application"]>) {
        const found = await super.application(...args);
        looks += 1;
        if (looks === count) barrier.resolve();
        await barrier.promise;
        return found;
      }
    }
    return Array.from({ length: count }, () => management.cluster(management.client(Together)));
  }

  it("link an application once: the second is told that it is linked", async () => {
    const [first, second] = clustersThatLookTogether(2);
    const outcomes = await Promise.allSettled([
      linkModel(first!, { app: "a", model: "one" }, {}),
      linkModel(second!, { app: "a", model: "other" }, {}),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const refused = outcomes.find((outcome) => outcome.status === "rejected");
    expect(refused?.reason).toMatchObject({ code: "ALREADY_LINKED" });
    expect((await client.application("a"))?.routes).toHaveLength(1);
  });

  it("take away one route each", async () => {
    const routes = ["one", "other"].map((model) => ({ ...CURRENT, model }));
    await client.putRoutes("a", { routes }, {});
    const [first, second] = clustersThatLookTogether(2);
    await Promise.all([
      unlinkModel(first!, { app: "a", model: "one" }, {}),
      unlinkModel(second!, { app: "a", model: "other" }, {}),
    ]);
    expect((await client.application("a"))?.routes).toEqual([]);
  });

  it("leave a version that became current after another was chosen to roll back to", async () => {
    await client.registerVersion("one", { version: "2", inputType: "doubles" });
    const { version, revision } = await previousVersionOf(management.cluster(), "one");
    await client.registerVersion("one", { version: "3", inputType: "doubles" });
    const rollback = switchVersion(management.cluster(), { model: "one", version }, { revision });
    await expect(rollback).rejects.toMatchObject({ code: "PRECONDITION_FAILED" });
    expect((await client.model("one"))?.currentVersion).toBe("3");
  });
});
