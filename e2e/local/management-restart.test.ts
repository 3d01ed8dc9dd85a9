import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEPLOY_PHASES } from "../support/deploy-phases.ts";
import { LocalCluster } from "../support/local-cluster.ts";
import { processOf } from "../support/processes.ts";

const PHASES = [...DEPLOY_PHASES, ["switch", "1 of 1 replicas connected"]] as const;

describe("deploys while management is killed", () => {
  let cluster: LocalCluster;
  let version = 1;

  beforeAll(async () => {
    cluster = await LocalCluster.up();
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged" });
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it.each(PHASES)("kill -9 at %s: the deploy goes on and succeeds", async (_phase, shown) => {
    const next = String(++version);
    const running = cluster.start(
      ...cluster.deployArguments("slow_to_load.py:predict", {
        model: "tagged",
        app: "tagged",
        version: next,
        sample: "[1]",
      }),
    );
    await running.shows(shown);
    process.kill(processOf(cluster.scratch.directory, "management-frontend"), "SIGKILL");
    const { code, stderr } = await running.outcome;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await cluster.predict("tagged", [1])).toMatchObject({ output: { v: "slow" }, default: false });
    const current = (await cluster.status()).models.filter((model) => model.current);
    expect(current.map((model) => model.version)).toEqual([next]);
  });
});
