import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEPLOY_PHASES } from "../support/deploy-phases.ts";
import { eventually } from "../support/eventually.ts";
import { LocalCluster } from "../support/local-cluster.ts";
import { processesOf } from "../support/processes.ts";

describe("deploys that are cut off", () => {
  let cluster: LocalCluster;
  let version = 1;

  beforeAll(async () => {
    cluster = await LocalCluster.up();
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged" });
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const serving = async () => ((await cluster.predict("tagged", [1])).output as { v: string }).v;
  const bundles = () => readdir(cluster.scratch.path("home", "clusters", cluster.name, "bundles"));
  const arguments_ = (next: string) =>
    cluster.deployArguments("slow_to_load.py:predict", { model: "tagged", version: next, sample: "[1]" });

  async function expectNothingLeft(next: string, bundlesBefore: readonly string[]): Promise<void> {
    await eventually("nothing left of it", 12_000, async () => {
      const replicas = processesOf(cluster.scratch.directory).filter(({ commandLine }) =>
        commandLine.includes("clipper_runtime"),
      );
      return replicas.length === 1;
    });
    expect((await cluster.status()).models.map((model) => model.version)).not.toContain(next);
    expect(await bundles()).toEqual(bundlesBefore);
  }

  it.each(DEPLOY_PHASES)(
    "Ctrl-C at %s: exits 130, the old version goes on, nothing is left",
    async (_phase, shown) => {
      const before = await bundles();
      const next = String(++version);
      const running = cluster.start(...arguments_(next));
      await running.shows(shown);
      running.child.kill("SIGINT");
      const outcome = await running.outcome;
      expect(outcome.code, outcome.stderr).toBe(130);
      expect(await serving()).toBe("1");
      await expectNothingLeft(next, before);
    },
  );

  it("kill -9 of the deploying process: the old version goes on, and the next deploy of the same succeeds", async () => {
    const next = String(++version);
    const running = cluster.start(...arguments_(next));
    await running.shows("accepted by the platform");
    running.child.kill("SIGKILL");
    await running.outcome;
    expect(await serving()).toBe("1");
    await cluster.clipper(...arguments_(next));
    expect(await serving()).toBe("slow");
    const replicas = processesOf(cluster.scratch.directory).filter(({ commandLine }) =>
      commandLine.includes("clipper_runtime"),
    );
    expect(replicas).toHaveLength(2);
  });

  it.each([
    ["capture", "slow to be captured"],
    ["ready", "accepted by the platform"],
  ])(
    "kill -9 at %s, and stopped versions, leave no bundle and nothing on the way after the next deploy",
    async (_phase, shown) => {
      const running = cluster.start(...arguments_(String(++version)));
      await running.shows(shown);
      running.child.kill("SIGKILL");
      await running.outcome;
      await eventually("the end of what it was running", 15_000, () =>
        processesOf(cluster.scratch.directory).every(
          ({ commandLine }) => !commandLine.includes("clipper_runtime.capture"),
        ),
      );
      await cluster.deploy("tagged.py:v2", { model: "other", version: String(version) });
      const kept = (await cluster.status()).models.length;
      expect(await bundles()).toHaveLength(kept);
      expect(await readdir(cluster.scratch.path("home", "scratch"))).toEqual([]);
      await cluster.clipper("model", "stop", "other");
      expect(await bundles()).toHaveLength(kept - 1);
    },
  );

  it("Ctrl-C of a scale: exits 130, and the count that it wished for comes true", async () => {
    const current = (await cluster.status()).models.find((model) => model.current)?.version ?? "";
    const scaling = cluster.start("model", "scale", "tagged", current, "2");
    await scaling.shows("1 of 2 replicas connected");
    scaling.child.kill("SIGINT");
    expect((await scaling.outcome).code).toBe(130);
    await eventually("two replicas serving", 15_000, async () => {
      const model = (await cluster.status()).models.find(({ version }) => version === current);
      return model?.replicas.filter(({ state }) => state === "serving").length === 2;
    });
  });
});
