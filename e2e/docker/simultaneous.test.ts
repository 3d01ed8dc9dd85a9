import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineAbsence } from "../environment/engines.ts";
import type { CommandOutcome } from "../support/clipper-command.ts";
import { DockerCluster } from "./support/docker-cluster.ts";

const absence = engineAbsence("docker");

describe.skipIf(absence)(
  `several processes at once on one cluster${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let cluster: DockerCluster;

    beforeAll(async () => {
      cluster = await DockerCluster.prepare({ name: "together" });
    });
    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      expect(await cluster?.leftovers()).toEqual([]);
    });

    const allOf = async (commands: readonly (readonly string[])[]): Promise<unknown[]> => {
      const outcomes = await Promise.all(commands.map((args) => cluster.start(...args).outcome));
      for (const { code, stderr } of outcomes) expect(code, stderr).toBe(0);
      return outcomes.map(({ stdout }: CommandOutcome) => JSON.parse(stdout) as unknown);
    };

    /** Containers, by their instances; the rest by what it is for. */
    const things = async () =>
      (await cluster.leftovers())
        .map((name) => name.slice(`clipper.${cluster.name}.`.length))
        .filter((name) => /^[a-z-]+(-\d+|\.record\.\d+|\.turn\..*)$/.test(name));

    it("start it: each of three finds the same, and there is one of everything", async () => {
      const [first, ...others] = await allOf([cluster.upCommand, cluster.upCommand, cluster.upCommand]);
      for (const other of others) expect(other).toEqual(first);
      expect(await things()).toEqual([
        "management-frontend-1",
        "management-frontend.record.1",
        "query-frontend-1",
        "query-frontend.record.1",
      ]);
      await cluster.up();
    });

    const deploy = (reference: string, version: string) => [
      ...cluster.deployArguments(reference, { model: "tagged", version, app: "tagged", "slo-ms": "5000" }),
      ...["-o", "json"],
    ];

    it("deploy one bundle: one does, the other waits and finds it done", async () => {
      const results = await allOf([deploy("tagged.py:v1", "1"), deploy("tagged.py:v1", "1")]);
      expect(results.map((result) => (result as { unchanged: boolean }).unchanged).sort()).toEqual([
        false,
        true,
      ]);
      expect((await cluster.status()).models).toMatchObject([
        { name: "tagged", version: "1", current: true, replicas: [{ state: "serving" }] },
      ]);
      expect(await cluster.predict("tagged", [1])).toMatchObject({
        output: { v: "1", id: 1 },
        default: false,
      });
    });

    it("deploy two versions of one model: both are there, and one of them answers", async () => {
      await allOf([deploy("tagged.py:v2", "2"), deploy("tagged.py:v3", "3")]);
      const { models } = await cluster.status();
      expect(models.map(({ version }) => version).sort()).toEqual(["1", "2", "3"]);
      const current = models.find((model) => model.current)?.version;
      expect(["2", "3"]).toContain(current);
      expect(await cluster.predict("tagged", [2])).toMatchObject({ output: { v: current, id: 2 } });
    });
  },
);
