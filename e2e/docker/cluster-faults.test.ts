import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineAbsence } from "../environment/engines.ts";
import type { RunningCommand } from "../support/clipper-command.ts";
import { eventually } from "../support/eventually.ts";
import { type LedgerEntry, startLoad } from "../support/ledger-load.ts";
import { routedReplicas } from "../support/routed-replicas.ts";
import type { ReplicaStatus } from "../support/test-cluster.ts";
import { dockerOutput } from "./docker-command.ts";
import { DockerCluster } from "./support/docker-cluster.ts";

const absence = engineAbsence("docker");
/** Within which a frontend gives nothing more to a replica that does not answer. */
const ROUTED_AWAY_MS = 3_000;
/** Requests a second. */
const RATE = 200;
/** For an engine on a machine that others use too. */
const BACK_MS = 60_000;

describe.skipIf(absence)(
  `replicas on a Docker engine that come to harm${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let cluster: DockerCluster;
    let controller: RunningCommand;

    beforeAll(async () => {
      cluster = await DockerCluster.up();
      await cluster.deploy("slow_tagged.py:predict", {
        model: "tagged",
        app: "tagged",
        replicas: "2",
        "slo-ms": "6000",
      });
      controller = cluster.start("controller");
      await controller.shows("controlling cluster");
    });

    afterAll(async () => {
      controller?.child.kill("SIGINT");
      await controller?.outcome;
      await cluster?.[Symbol.asyncDispose]();
      expect(await cluster?.leftovers()).toEqual([]);
    });

    const replicas = async (model = "tagged") =>
      (await cluster.status()).models.find(({ name }) => name === model)?.replicas ?? [];

    /**
     * Does `harm` to one of two replicas under load, and sees that nobody notices but those whom it had in hand.
     * @returns the replica as `status` showed it when `isSeen`, and when all was well again
     */
    async function harmUnderLoad({
      harm,
      isSeen,
      mend = async () => {},
    }: {
      readonly harm: (container: string) => Promise<unknown>;
      readonly isSeen: (replica: ReplicaStatus) => boolean;
      readonly mend?: (container: string) => Promise<unknown>;
    }): Promise<{ readonly seen: ReplicaStatus; readonly after: ReplicaStatus }> {
      const [victim] = await replicas();
      if (victim === undefined) throw new Error("no replica is there");
      const container = cluster.containerOf(victim.id);
      const statusOf = async () => (await replicas()).find(({ id }) => id === victim.id);
      // One that was started again at once is away all the same.
      const routedRun = async () => (await routedReplicas(cluster.query, "tagged")).get(victim.id);
      const load = startLoad({ url: cluster.query, app: "tagged", rate: RATE, maxMs: 100_000 });
      try {
        await eventually("load under way", 10_000, () => load.sent() > RATE);
        const run = await routedRun();
        expect(run).toBeDefined();
        await harm(container);
        const sentWhenHarmed = load.sent();
        await eventually("routed away", ROUTED_AWAY_MS, async () => (await routedRun()) !== run);
        const seen = await eventually("told by status", BACK_MS, async () => {
          const status = await statusOf();
          return status !== undefined && isSeen(status) && status;
        });
        await mend(container);
        const after = await eventually("both serving", BACK_MS, async () => {
          const all = await replicas();
          if (all.length !== 2 || all.some(({ state }) => state !== "serving")) return undefined;
          return all.find(({ id }) => id === victim.id);
        });
        const ledger = await load.stop();
        expect(ledger.failed).toEqual([]);
        expect(ledger.wrong).toEqual([]);
        expect(ledger.answered.length + ledger.defaults.length).toBe(ledger.entries.length);
        // What it had in hand is tried again with the other, where the time allows.
        const wasInHand = ({ id, defaultReason }: LedgerEntry) =>
          defaultReason === "replica_lost" &&
          id > sentWhenHarmed - RATE &&
          id < sentWhenHarmed + (RATE * ROUTED_AWAY_MS) / 1_000;
        expect(ledger.defaults.filter((entry) => !wasInHand(entry))).toEqual([]);
        return { seen, after };
      } finally {
        await load.stop();
      }
    }

    it("killed: started again by the engine, its exit code told", async () => {
      const { after } = await harmUnderLoad({
        harm: async (container) => {
          const pid = Number(await dockerOutput("inspect", "--format", "{{.State.Pid}}", container));
          process.kill(pid, "SIGKILL");
        },
        isSeen: ({ exitCode }) => exitCode === 137,
      });
      expect(after).toMatchObject({ restarts: 1, exitCode: 137, oomKilled: false });
    });

    it("paused: told, and serving when it goes on", async () => {
      const { seen } = await harmUnderLoad({
        harm: (container) => dockerOutput("pause", container),
        isSeen: ({ reason }) => reason !== null,
        mend: (container) => dockerOutput("unpause", container),
      });
      expect(seen).toMatchObject({ state: "starting", reason: expect.stringContaining("docker unpause") });
    });

    it("taken off its network: put back by the controller", async () => {
      const network = (await cluster.leftovers()).find((name) =>
        new RegExp(`^clipper\\.${cluster.name}\\.[0-9a-f]{8}$`).test(name),
      );
      const before = await cluster.replicaThings();
      await harmUnderLoad({
        harm: (container) => dockerOutput("network", "disconnect", network ?? "", container),
        isSeen: () => true,
      });
      expect(await cluster.replicaThings()).toEqual(before);
    });

    it("removed: put back by the controller", async () => {
      const before = await cluster.replicaThings();
      const { after } = await harmUnderLoad({
        harm: (container) => dockerOutput("rm", "--force", container),
        isSeen: () => true,
      });
      expect(after.restarts).toBe(0);
      expect(await cluster.replicaThings()).toEqual(before);
    });

    it.each(["management-frontend", "query-frontend"])(
      "the %s removed: put back by the controller where it was, and nobody else had to ask for anything",
      async (id) => {
        const containers = async () => {
          const all = await dockerOutput(
            "ps",
            "--format",
            "{{.Names}}",
            "--filter",
            `name=^/${cluster.containerOf(id)}-`,
          );
          return all.split("\n").filter((name) => name !== "");
        };
        const [container = ""] = await containers();
        await dockerOutput("rm", "--force", container);
        const url = id === "query-frontend" ? cluster.query : cluster.management;
        await eventually(
          `${id} is ready`,
          BACK_MS,
          async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok,
        );
        expect(await containers()).toHaveLength(1);
        expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });
        expect((await replicas()).map(({ state }) => state)).toEqual(["serving", "serving"]);
      },
    );

    it("out of memory: a default with its reason at once, and told when it serves again", async () => {
      await cluster.deploy("docker/hungry.py:take", {
        model: "hungry",
        app: "hungry",
        memory: "96m",
        "slo-ms": "6000",
        "input-type": "integers",
      });
      expect(await cluster.predict("hungry", [1])).toMatchObject({ output: 1, default: false });
      expect(await cluster.predict("hungry", [512])).toMatchObject({
        default: true,
        default_reason: "replica_lost",
      });
      const [replica] = await eventually("serving again", BACK_MS, async () => {
        const all = await replicas("hungry");
        return all.every(({ state }) => state === "serving") && all;
      });
      expect(replica).toMatchObject({ exitCode: 137, oomKilled: true });
      expect((await cluster.clipper("status")).stdout).toMatch(/hungry .* was ended for want of memory/);
      expect(await cluster.predict("hungry", [2])).toMatchObject({ output: 2, default: false });
    });
  },
);
