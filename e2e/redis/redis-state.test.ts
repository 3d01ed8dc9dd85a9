import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RedisServer } from "../../packages/state/src/test-support/redis-server.ts";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";
import { engineAbsence } from "../environment/engines.ts";
import { eventually } from "../support/eventually.ts";
import { processesOf, processOf } from "../support/processes.ts";
import { remembered } from "../support/state-loss.ts";
import { StateWitness } from "../support/state-witness.ts";
import { TestCluster } from "../support/test-cluster.ts";

const absence = engineAbsence("redis");
const PASSWORD = "s3cret/pass word";

function redisOptions(redis: RedisServer): string[] {
  const passwordFile = join(redis.directory, "password");
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
  return ["--redis", redis.url, "--redis-password-file", passwordFile];
}

async function clusterIn(redis: RedisServer, name: string): Promise<TestCluster> {
  const upArguments = redisOptions(redis);
  return new TestCluster({ name, python: await pythonEnvironment(), upArguments }).firstUp();
}

describe.skipIf(absence)(
  `a cluster with its state in Redis${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let redis: RedisServer;
    let cluster: TestCluster;
    let witness: StateWitness;

    beforeAll(async () => {
      redis = await RedisServer.start({ requirepass: PASSWORD });
      cluster = await clusterIn(redis, "e2e");
      witness = new StateWitness(cluster, "tagged");
      await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
    });

    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      await redis?.[Symbol.asyncDispose]();
    });

    const replicaProcesses = () =>
      processesOf(cluster.scratch.directory)
        .filter(({ environment }) => environment.includes("CLIPPER_WORKLOAD=replica-"))
        .map(({ pid }) => pid)
        .sort();

    it("keeps its records there, and the password out of everybody's sight", async () => {
      const keys = (await redis.command("KEYS", "*")).split("\n").sort();
      expect(keys.map((key) => key.replace(/:[0-9a-f]{8}:/, ":ID:"))).toEqual(
        ["commits", "head", "records"].map((name) => `clipper:e2e:ID:${name}`),
      );
      const remembered = readFileSync(
        cluster.scratch.path("home", "clusters", "e2e", "cluster.json"),
        "utf8",
      );
      const { stdout: logs } = await cluster.clipper("logs");
      for (const written of [PASSWORD, encodeURIComponent(PASSWORD)]) {
        expect(remembered).not.toContain(written);
        expect(logs).not.toContain(written);
        for (const { commandLine, environment } of processesOf(cluster.scratch.directory)) {
          expect(commandLine + environment).not.toContain(written);
        }
      }
    });

    it("predictions go on while Redis is killed; management says 503, and both are as before ≤ 2 s after its return", async () => {
      await witness.expectUntouchedBy(async () => {
        await redis.down("SIGKILL");
        expect(await witness.refusal()).toEqual({ status: 503, code: "STORE_UNAVAILABLE", retryAfter: true });
        await redis.up();
        const back = performance.now();
        await witness.register("after-restart");
        expect(performance.now() - back).toBeLessThan(2_000);
      });
    });

    it("predictions go on while Redis answers nothing; management says 503 in its time, and all is as before ≤ 2 s after", async () => {
      await witness.expectUntouchedBy(async () => {
        redis.suspend();
        try {
          const asked = performance.now();
          expect(await witness.refusal()).toEqual({
            status: 503,
            code: "STORE_UNAVAILABLE",
            retryAfter: true,
          });
          // Behind the call that was under way, for 2 s each.
          expect(performance.now() - asked).toBeLessThan(5_000);
        } finally {
          redis.resume();
        }
        const back = performance.now();
        await witness.register("after-silence");
        expect(performance.now() - back).toBeLessThan(2_000);
      });
      expect(await witness.metric("clipper_state_regressions_total")).toBe(0);
    });

    it("a Redis that lost everything changes nothing at the query frontend, whatever management is told; its data put back, all goes on", async () => {
      const copy = await redis.backUp();
      await eventually("management again", 5_000, async () => (await witness.management("/v1/cluster")).ok);
      const revision = await witness.metric("clipper_state_revision");
      const killManagement = () =>
        process.kill(processOf(cluster.scratch.directory, "management-frontend"), "SIGKILL");
      await witness.expectUntouchedBy(async () => {
        await redis.command("FLUSHALL");
        expect(await witness.refusal()).toEqual({ status: 503, code: "STORE_REGRESSED", retryAfter: true });

        // One that has forgotten what there was takes the empty store for its own, and the frontend knows better.
        killManagement();
        await eventually("the regression told", 15_000, async () => {
          return (await witness.metric("clipper_state_regressions_total")) > 0;
        });
        expect(await witness.metric("clipper_state_revision")).toBe(revision);
        expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });

        await copy.restore();
        killManagement();
        const back = performance.now();
        await eventually(
          "management again",
          15_000,
          async () => (await witness.management("/v1/cluster")).ok,
        );
        await witness.register("after-loss");
        expect(performance.now() - back).toBeLessThan(5_000);
      });
      const { applications, models } = await cluster.status();
      expect(applications.map(({ name }) => name)).toEqual([
        "after-loss",
        "after-restart",
        "after-silence",
        "tagged",
      ]);
      expect(models).toMatchObject([{ name: "tagged", version: "1", current: true }]);
    });

    it("a Redis that lost everything for good is given the records back by the query frontend at the next command", async () => {
      const before = remembered(await cluster.status());
      const running = replicaProcesses();
      await witness.expectUntouchedBy(async () => {
        await redis.command("FLUSHALL");
        const { stderr } = await cluster.clipper("status");
        expect(stderr).toContain("restored 4 applications and 1 versions");
        expect(remembered(await cluster.status())).toEqual(before);
        await witness.register("after-restoration");
      });
      expect(replicaProcesses()).toEqual(running);
      const keys = (await redis.command("KEYS", "*")).split("\n");
      expect(keys.length).toBe(3);
    });

    it("a start that comes to nothing leaves no key of its own, and the records that it was to take up", async () => {
      const keys = async () => (await redis.command("KEYS", "*")).split("\n").sort();
      const before = await keys();
      const taken = ["--query-port", new URL(cluster.query).port];
      const up = ["up", "--cluster", "e2e-futile", ...redisOptions(redis), ...taken];
      await cluster.fails(4, ...up);
      expect(await keys()).toEqual(before);
      const prefix = before[0]?.replace(/[a-z]+$/, "") ?? "";
      await cluster.fails(4, ...up, "--redis-prefix", prefix);
      expect(await keys()).toEqual(before);
      await witness.register("after-futile");
    });

    it("takes its own keys with it when it is purged, and leaves all others", async () => {
      const others = ["clipper:e2e:of-somebody-else", "clipper:e2e-too:head", "theirs"];
      for (const key of others) await redis.command("SET", key, "1");
      const { stderr } = await cluster.clipper("down", "--purge", "--yes");
      expect(stderr).toMatch(/removed the keys clipper:e2e:[0-9a-f]{8}:\* from Redis/);
      expect((await redis.command("KEYS", "*")).split("\n").sort()).toEqual(others.sort());
    });

    it("does so when it was taken down before, too", async () => {
      await using other = await clusterIn(redis, "e2e-stopped");
      const keys = async () =>
        (await redis.command("KEYS", "clipper:e2e-stopped:*")).split("\n").filter((key) => key !== "");
      await other.clipper("app", "create", "kept", "--input-type", "doubles");
      await other.clipper("down");
      expect(await keys()).toHaveLength(3);
      await other.clipper("down", "--purge", "--yes");
      expect(await keys()).toEqual([]);
      expect(processesOf(other.scratch.directory)).toEqual([]);
    });

    it("says which keys are left when Redis is not there to take them from", async () => {
      await using other = await clusterIn(redis, "e2e-away");
      await redis.down("SIGTERM");
      const { stderr } = await other.clipper("down", "--purge", "--yes");
      expect(stderr).toMatch(/the keys clipper:e2e-away:[0-9a-f]{8}:\* are left in Redis: /);
      await other.fails(3, "status");
      expect(processesOf(other.scratch.directory)).toEqual([]);
      await redis.up();
    });
  },
);
