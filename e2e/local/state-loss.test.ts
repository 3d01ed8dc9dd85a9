import { copyFileSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { LocalCluster } from "../support/local-cluster.ts";
import { processesOf, processOf } from "../support/processes.ts";
import { errorOf, expectDeployable, expectUntouched, remembered, underLoad } from "../support/state-loss.ts";

describe("a cluster whose state is lost", () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.up();
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
    await cluster.deploy("tagged.py:v2", { model: "tagged", version: "2", replicas: "2" });
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const volume = (...parts: string[]) =>
    cluster.scratch.path("home", "local", cluster.name, "volumes", ...parts);
  const snapshotFile = () => volume("query-frontend", "state-snapshot.json");
  const remove = (path: string) => rmSync(path, { recursive: true, force: true });
  const kill = (workload: string) => process.kill(processOf(cluster.scratch.directory, workload), "SIGKILL");
  const replicaProcesses = () =>
    processesOf(cluster.scratch.directory)
      .filter(({ environment }) => /(^|\0)CLIPPER_WORKLOAD=replica-/.test(environment))
      .map(({ pid }) => pid)
      .sort();

  it("has it back from its query frontend at the next command, and answers every request meanwhile", async () => {
    const before = remembered(await cluster.status());
    const running = replicaProcesses();
    const ledger = await underLoad(cluster, async () => {
      remove(volume("state"));
      kill("management-frontend");
      const outcomes = await Promise.all([cluster.clipper("status"), cluster.clipper("status")]);
      const restored = outcomes.filter(({ stderr }) =>
        stderr.includes("restored 1 applications and 2 versions"),
      );
      expect(restored).toHaveLength(1);
      expect(remembered(await cluster.status())).toEqual(before);
    });
    expectUntouched(ledger);
    expect(replicaProcesses()).toEqual(running);
    await expectDeployable(cluster, "3");
  });

  it("notices too when the files vanish below a management frontend that runs on", async () => {
    const before = remembered(await cluster.status());
    const running = replicaProcesses();
    const ledger = await underLoad(cluster, async () => {
      for (const name of readdirSync(volume("state"))) remove(volume("state", name));
      await eventually(
        "management's refusal",
        5_000,
        async () => !(await fetch(`${cluster.management}/readyz`)).ok,
      );
      const { restored } = await cluster.up();
      expect(restored?.applications).toEqual(["tagged"]);
      expect(restored?.differences).toMatchObject([{ kind: "not-kept" }]);
      expect(remembered(await cluster.status())).toEqual(before);
    });
    expectUntouched(ledger);
    expect(replicaProcesses()).toEqual(running);
  });

  it("has not what a deploy under way had made, which ends, as after every interruption", async () => {
    const before = remembered(await cluster.status());
    const deploy = cluster.start(
      ...cluster.deployArguments("slow_to_load.py:predict", { model: "tagged", version: "4" }),
    );
    await deploy.shows("accepted by the platform");
    const ledger = await underLoad(cluster, async () => {
      remove(volume("state"));
      kill("management-frontend");
      const { restored } = await cluster.up();
      const undone = restored?.differences.find(({ kind }) => kind === "deploy-undone");
      expect(undone).toMatchObject({ model: "tagged", version: "4" });
      expect((await deploy.outcome).code).not.toBe(0);
      await eventually("the end of what it had started", 15_000, () =>
        processesOf(cluster.scratch.directory).every(
          ({ environment }) => !environment.includes(`CLIPPER_WORKLOAD=${undone?.workload}`),
        ),
      );
    });
    expectUntouched(ledger);
    expect(remembered(await cluster.status())).toEqual(before);
  });

  it("has it back when it was down, too: its replicas are started again", async () => {
    const before = await cluster.status();
    await cluster.clipper("down");
    remove(volume("state"));
    const { restored } = await cluster.up();
    expect(restored?.differences.filter(({ kind }) => kind === "replicas-gone")).toHaveLength(
      before.models.filter(({ replicas }) => replicas.length > 0).length,
    );
    expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });
    expect((await cluster.status()).applications).toEqual(before.applications);
  });

  it("leaves running what no record knows, until it is told that the loss is accepted", async () => {
    const older = cluster.scratch.path("older-snapshot");
    copyFileSync(snapshotFile(), older);
    await cluster.deploy("tagged.py:v1", { model: "tagged", version: "5" });
    remove(volume("state"));
    kill("management-frontend");
    copyFileSync(older, snapshotFile());
    kill("query-frontend");
    const { restored } = await cluster.up();
    const unknown = restored?.differences.find(({ kind }) => kind === "replicas-unknown");
    expect(unknown).toMatchObject({ model: "tagged", version: "5" });
    const replica = processOf(cluster.scratch.directory, unknown?.workload ?? "");
    await sleep(2_000);
    expect(processOf(cluster.scratch.directory, unknown?.workload ?? "")).toBe(replica);

    await cluster.up("--accept-state-loss");
    await eventually("the end of the unknown replica", 10_000, () => !replicaProcesses().includes(replica));
    expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });
  });

  it("names what is lost where no query frontend holds it, and removes nothing before that is accepted", async () => {
    const running = replicaProcesses();
    expect(running.length).toBeGreaterThan(0);
    const versions = (await cluster.status()).models.map(({ name, version }) => `${name}:${version}`);
    remove(volume("query-frontend"));
    remove(volume("state"));
    kill("query-frontend");
    kill("management-frontend");
    for (const command of ["status", "up", "status"]) {
      const error = errorOf((await cluster.fails(4, command, "-o", "json")).stderr);
      expect(error.code).toBe("STATE_LOST");
      expect(error.facts.versions).toEqual(versions.toSorted());
      for (const version of versions) expect(error.message).toContain(version);
      expect(error.hint).toContain("--accept-state-loss");
      expect(replicaProcesses()).toEqual(running);
    }
    expect((await cluster.up("--accept-state-loss")).restored).toBeUndefined();
    await eventually("the end of the replicas", 15_000, () => replicaProcesses().length === 0);
    expect(await cluster.status()).toMatchObject({ applications: [], models: [] });
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
    expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });
  });

  it("is told to have lost something, too, when nothing of it runs and only this machine remembers", async () => {
    await cluster.clipper("down");
    remove(volume("state"));
    remove(volume("query-frontend"));
    const error = errorOf((await cluster.fails(4, "up", "-o", "json")).stderr);
    expect(error).toMatchObject({ code: "STATE_LOST", facts: { versions: [] } });
    await cluster.up("--accept-state-loss");
    expect((await cluster.status()).applications).toEqual([]);
  });

  it("says so as long as somebody began anew before it was restored, and becomes one when that is accepted", async () => {
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
    const running = replicaProcesses();
    const queryFrontend = processOf(cluster.scratch.directory, "query-frontend");
    const tokenFile = cluster.scratch.path("home", "clusters", cluster.name, "secrets", "token");
    const begin = () =>
      fetch(`${cluster.management}/v1/applications`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${readFileSync(tokenFile, "utf8")}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({
          name: "begun",
          inputType: "doubles",
          defaultOutput: "-",
          latencySloMicros: 9_000,
        }),
      });
    // Nothing that could say that there was something is heard.
    process.kill(queryFrontend, "SIGSTOP");
    try {
      for (const name of readdirSync(volume("state"))) remove(volume("state", name));
      kill("management-frontend");
      await eventually("a new beginning", 15_000, async () => (await begin()).status === 201);
    } finally {
      process.kill(queryFrontend, "SIGCONT");
    }
    await eventually("the frontend's report", 10_000, async () =>
      (await cluster.clipper("status")).stderr.includes("serves by another history than the store's"),
    );
    expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });
    expect(replicaProcesses()).toEqual(running);

    await cluster.up("--accept-state-loss");
    await eventually("the end of the replicas", 15_000, () => replicaProcesses().length === 0);
    await eventually(
      "the frontend following",
      10_000,
      async () => (await cluster.predict("begun", [1])).output === "-",
    );
    const { applications, models } = await cluster.status();
    expect(applications.map(({ name }) => name)).toEqual(["begun"]);
    expect(models).toEqual([]);
  });
});
