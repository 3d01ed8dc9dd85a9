import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startLoad } from "../support/ledger-load.ts";
import { LocalCluster } from "../support/local-cluster.ts";
import { processOfInstance } from "../support/processes.ts";

describe("replicas that are killed", () => {
  let cluster: LocalCluster;

  beforeEach(async () => {
    cluster = await LocalCluster.up();
  });

  afterEach(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const replicas = async () => (await cluster.status()).models.find(({ current }) => current)?.replicas ?? [];

  it("one of two under load: every request answered 200, its batch tried again or told lost, the replica back", async () => {
    await cluster.deploy("slow_tagged.py:predict", {
      model: "tagged",
      app: "tagged",
      replicas: "2",
      "slo-ms": "2000",
    });
    const load = startLoad({ url: cluster.query, app: "tagged", rate: 200, maxMs: 20_000 });
    await eventually("load under way", 5_000, () => load.sent() > 200);
    const [victim] = await replicas();
    process.kill(processOfInstance(cluster.scratch.directory, victim?.id ?? ""), "SIGKILL");
    const back = await eventually("the replica back", 10_000, async () =>
      (await replicas()).find(
        ({ id, restarts, state }) => id === victim?.id && restarts === 1 && state === "serving",
      ),
    );
    const ledger = await load.stop();
    expect(ledger.failed).toEqual([]);
    expect(ledger.wrong).toEqual([]);
    expect(ledger.answered.length + ledger.defaults.length).toBe(ledger.entries.length);
    expect(ledger.defaults.filter(({ defaultReason }) => defaultReason !== "replica_lost")).toEqual([]);
    expect(back).toMatchObject({ exitCode: 137 });
  });

  it("the only one: defaults with their reason at once, answers again within 3 s and without help", async () => {
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
    const [only] = await replicas();
    const killedAt = performance.now();
    process.kill(processOfInstance(cluster.scratch.directory, only?.id ?? ""), "SIGKILL");
    const first = await eventually("a default", 1_000, async () => {
      const askedAt = performance.now();
      const answer = await cluster.predict("tagged", [1]);
      return answer.default === true && { answer, tookMs: performance.now() - askedAt };
    });
    expect(["no_replica", "replica_lost"]).toContain(first.answer.default_reason);
    expect(first.tookMs).toBeLessThan(1_000);
    await eventually(
      "answers again",
      3_000,
      async () => (await cluster.predict("tagged", [1])).default === false,
    );
    expect(performance.now() - killedAt).toBeLessThan(4_000);
  });

  it("stays up when its function raises on one of many inputs at once, and answers the others", async () => {
    await cluster.deploy("picky.py:predict", { model: "picky", app: "picky", "slo-ms": "2000" });
    const [before] = await replicas();
    const inputs = Array.from({ length: 32 }, (_, index) => [index]);
    const answers = await Promise.all(inputs.map((input) => cluster.predict("picky", input)));
    expect(
      answers.map((answer) => (answer.default === true ? answer.default_reason : answer.output)),
    ).toEqual(inputs.map(([value]) => (value === 13 ? "model_error" : value)));
    await sleep(100);
    expect((await replicas())[0]).toMatchObject({ id: before?.id, restarts: 0, state: "serving" });
  });
});
