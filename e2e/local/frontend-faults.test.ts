import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startLoad } from "../support/ledger-load.ts";
import { LocalCluster } from "../support/local-cluster.ts";
import { processesOf, processOf } from "../support/processes.ts";

describe("the cluster's own processes when they are killed", () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.up();
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const answers = async () => (await cluster.predict("tagged", [1])).default === false;

  it("the query frontend is back within 3 s, with applications and models as before", async () => {
    const before = await cluster.status();
    process.kill(processOf(cluster.scratch.directory, "query-frontend"), "SIGKILL");
    await eventually("predictions again", 3_000, answers);
    const after = await cluster.status();
    expect(after.applications).toEqual(before.applications);
    expect(after.endpoints).toEqual(before.endpoints);
  });

  it("predictions go on without the management frontend, which is back within 3 s as it was", async () => {
    const before = await cluster.status();
    const load = startLoad({ url: cluster.query, app: "tagged", rate: 100, maxMs: 15_000 });
    await eventually("load under way", 5_000, () => load.sent() > 50);
    process.kill(processOf(cluster.scratch.directory, "management-frontend"), "SIGKILL");
    await eventually("management again", 3_000, async () => (await fetch(`${cluster.management}/readyz`)).ok);
    const sentWhenBack = load.sent();
    await eventually("more load", 5_000, () => load.sent() > sentWhenBack + 100);
    const ledger = await load.stop();
    expect(ledger.failed).toEqual([]);
    expect(ledger.defaults).toEqual([]);
    expect(ledger.wrong).toEqual([]);
    const after = await eventually("the frontend's report", 3_000, async () => {
      const status = await cluster.status();
      return status.models[0]?.replicas[0]?.state === "serving" && status;
    });
    expect({
      ...after,
      models: after.models.map(({ name, version, current }) => ({ name, version, current })),
    }).toEqual({
      ...before,
      models: before.models.map(({ name, version, current }) => ({ name, version, current })),
    });
  });

  it("no process is left 5 s after the supervisor was killed, and `clipper up` brings the cluster back as it was", async () => {
    const supervisor = processesOf(cluster.scratch.directory).find(({ commandLine }) =>
      commandLine.includes("supervisor"),
    );
    expect(supervisor).toBeDefined();
    process.kill(supervisor?.pid ?? 0, "SIGKILL");
    await eventually("every process gone", 5_000, () => {
      const left = processesOf(cluster.scratch.directory).map(
        ({ pid, commandLine }) => `${pid} ${commandLine}`,
      );
      if (left.length > 0) throw new Error(left.join("; "));
      return true;
    });
    await cluster.up();
    await eventually("predictions again", 10_000, answers);
    const { applications, models } = await cluster.status();
    expect(applications.map(({ name, linkedModels }) => ({ name, linkedModels }))).toEqual([
      { name: "tagged", linkedModels: ["tagged"] },
    ]);
    expect(models.map(({ name, version, current }) => ({ name, version, current }))).toEqual([
      { name: "tagged", version: "1", current: true },
    ]);
  });
});
