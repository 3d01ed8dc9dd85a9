import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineAbsence } from "../environment/engines.ts";
import { eventually } from "../support/eventually.ts";
import { errorOf, expectDeployable, expectUntouched, remembered, underLoad } from "../support/state-loss.ts";
import { dockerOutput } from "./docker-command.ts";
import { DockerCluster } from "./support/docker-cluster.ts";

const absence = engineAbsence("docker");
/** Environments are installed, compiled and sent to the engine for the first time. */
const FIRST_DEPLOY_MS = 300_000;
/** For an engine on a machine that others use too. */
const BACK_MS = 60_000;

describe.skipIf(absence)(
  `a cluster on a Docker engine whose state is lost${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let cluster: DockerCluster;

    beforeAll(async () => {
      cluster = await DockerCluster.up({ name: "loss" });
      const options = { model: "tagged", app: "tagged", "slo-ms": "5000", sample: "[1]" };
      await cluster.deploy("tagged.py:v1", options);
      await cluster.deploy("tagged.py:v2", { ...options, version: "2", replicas: "2" });
    }, FIRST_DEPLOY_MS);

    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      expect(await cluster?.leftovers()).toEqual([]);
    });

    /** As a person would, with the engine's own command. */
    const removeContainers = async (workload: string) => {
      const names = (await containers()).filter((line) => line.includes(cluster.containerOf(workload)));
      for (const line of names) await dockerOutput("rm", "--force", line.split(" ")[0] ?? "");
      expect(names).not.toEqual([]);
    };
    const removeVolume = (name: string) =>
      dockerOutput("volume", "rm", cluster.containerOf(`volume.${name}`));
    /** Id and name of each of the cluster's containers. */
    const containers = async () => {
      const filter = `label=clipper-serving.cluster=${cluster.name}`;
      const list = await dockerOutput(
        "ps",
        "--no-trunc",
        "--format",
        "{{.ID}} {{.Names}}",
        "--filter",
        filter,
      );
      return list.split("\n").sort();
    };
    const replicaContainers = async () =>
      (await containers()).filter((line) => line.includes(cluster.containerOf("replica-")));

    it("has it back from its query frontend at the next command, with the replicas as they run, and answers every request meanwhile", async () => {
      const before = remembered(await cluster.status());
      const running = await replicaContainers();
      const ledger = await underLoad(cluster, async () => {
        await removeContainers("management-frontend");
        await removeVolume("state");
        const { stderr } = await cluster.clipper("status");
        expect(stderr).toContain("restored 1 applications and 2 versions");
        expect(remembered(await cluster.status())).toEqual(before);
      });
      expectUntouched(ledger);
      expect(await replicaContainers()).toEqual(running);
    });

    it("is served by a controller that knew the lost records and waits for them: it ends nothing, and puts back a replica afterwards", async () => {
      const controller = cluster.start("controller");
      try {
        await controller.shows("controlling cluster");
        const running = await replicaContainers();
        await removeContainers("management-frontend");
        await removeVolume("state");
        const { restored } = await cluster.up();
        expect(restored?.differences).toMatchObject([{ kind: "not-kept" }]);
        expect(await replicaContainers()).toEqual(running);
        const [, name = ""] = running[0]?.split(" ") ?? [];
        await dockerOutput("rm", "--force", name);
        await eventually("the replica put back", BACK_MS, async () => {
          const names = (await replicaContainers()).map((line) => line.split(" ")[1]);
          return names.includes(name);
        });
      } finally {
        controller.child.kill("SIGINT");
        await controller.outcome;
      }
    });

    it("takes the next deploy and rollback as if nothing had been", async () => {
      await expectDeployable(cluster, "3");
    });

    it("has it back from what the query frontend has on its volume, when that was ended too", async () => {
      const before = remembered(await cluster.status());
      await removeContainers("management-frontend");
      await removeContainers("query-frontend");
      await removeVolume("state");
      const { restored } = await cluster.up();
      expect(restored?.applications).toEqual(["tagged"]);
      expect(remembered(await cluster.status())).toEqual(before);
      expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });
    });

    it("names what is lost when the volumes of both frontends are gone, and ends nothing before that is accepted", async () => {
      const versions = (await cluster.status()).models.map(({ name, version }) => `${name}:${version}`);
      const running = await replicaContainers();
      for (const workload of ["management-frontend", "query-frontend"]) await removeContainers(workload);
      for (const volume of ["state", "query-frontend"]) await removeVolume(volume);
      for (const command of ["status", "up"]) {
        const error = errorOf((await cluster.fails(4, command, "-o", "json")).stderr);
        expect(error).toMatchObject({ code: "STATE_LOST", facts: { versions: versions.toSorted() } });
        expect(error.message).toContain(versions[0]);
      }
      await sleep(3_000);
      expect(await replicaContainers()).toEqual(running);

      expect((await cluster.up("--accept-state-loss")).restored).toBeUndefined();
      await eventually(
        "the end of the replicas",
        BACK_MS,
        async () => (await replicaContainers()).length === 0,
      );
      expect(await cluster.status()).toMatchObject({ applications: [], models: [] });
      await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "5000" });
      expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });
    });
  },
);
