import { readFileSync, writeFileSync } from "node:fs";
import { ClipperConnection } from "@clipper-serving/core";
import { LocalContainerManager } from "@clipper-serving/local-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RedisServer } from "../../packages/state/src/test-support/redis-server.ts";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";
import { engineAbsence } from "../environment/engines.ts";
import { eventually } from "../support/eventually.ts";
import { type Ledger, startLoad } from "../support/ledger-load.ts";
import { processesOf, processOf } from "../support/processes.ts";
import { remembered } from "../support/state-loss.ts";
import { TestCluster } from "../support/test-cluster.ts";

const absence = engineAbsence("redis");
const PASSWORD = "s3cret/pass word";

describe.skipIf(absence)(
  `a cluster with its state in Redis${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let redis: RedisServer;
    let cluster: TestCluster;
    let token: string;

    beforeAll(async () => {
      redis = await RedisServer.start({ requirepass: PASSWORD });
      cluster = new TestCluster({ name: "e2e", python: await pythonEnvironment() });
      const passwordFile = cluster.scratch.path("redis-password");
      writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
      const home = cluster.scratch.path("home");
      await using clipper = new ClipperConnection(
        new LocalContainerManager({ home, runtimeDirectory: cluster.scratch.path("clipper") }),
        { cluster: cluster.name, home },
      );
      await clipper.start({ state: { redis: { url: redis.url, passwordFile } } });
      token = clipper.endpoints.management.token;
      await cluster.up();
      await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "2000" });
    });

    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      await redis?.[Symbol.asyncDispose]();
    });

    const management = (path: string, init: RequestInit = {}) =>
      fetch(`${cluster.management}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      });
    const refusal = async () => {
      const answer = await management("/v1/cluster");
      const { code } = (await answer.json()) as { code?: string };
      return { status: answer.status, code, retryAfter: answer.headers.has("retry-after") };
    };
    const metric = async (name: string) => {
      const text = await (await fetch(`${cluster.query}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
    };
    /** A write through management that the query frontend has applied. */
    const register = async (name: string) => {
      const body = JSON.stringify({
        name,
        inputType: "doubles",
        defaultOutput: "-",
        latencySloMicros: 100_000,
      });
      await eventually(
        "a write",
        10_000,
        async () => (await management("/v1/applications", { method: "POST", body })).status === 201,
      );
      await eventually("the write at the query frontend", 10_000, async () => {
        const answer = await fetch(`${cluster.query}/${name}/predict`, {
          method: "POST",
          body: '{"input":[1]}',
        });
        await answer.body?.cancel();
        return answer.status === 200;
      });
    };
    const replicaProcesses = () =>
      processesOf(cluster.scratch.directory)
        .filter(({ environment }) => environment.includes("CLIPPER_WORKLOAD=replica-"))
        .map(({ pid }) => pid)
        .sort();
    /** Predictions that go on while something is done. */
    const underLoad = async (work: () => Promise<void>): Promise<Ledger> => {
      const load = startLoad({ url: cluster.query, app: "tagged", rate: 50, maxMs: 60_000 });
      await eventually("load under way", 5_000, () => load.sent() > 25);
      try {
        await work();
      } finally {
        const sent = load.sent();
        await eventually("more load", 5_000, () => load.sent() > sent + 25);
      }
      return load.stop();
    };
    const expectUntouched = ({ failed, defaults, wrong, answered }: Ledger) => {
      expect({ failed, defaults, wrong }).toEqual({ failed: [], defaults: [], wrong: [] });
      expect(answered.length).toBeGreaterThan(50);
    };

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
      const ledger = await underLoad(async () => {
        await redis.down("SIGKILL");
        expect(await refusal()).toEqual({ status: 503, code: "STORE_UNAVAILABLE", retryAfter: true });
        await redis.up();
        const back = performance.now();
        await register("after-restart");
        expect(performance.now() - back).toBeLessThan(2_000);
      });
      expectUntouched(ledger);
    });

    it("predictions go on while Redis answers nothing; management says 503 in its time, and all is as before ≤ 2 s after", async () => {
      const ledger = await underLoad(async () => {
        redis.suspend();
        try {
          const asked = performance.now();
          expect(await refusal()).toEqual({ status: 503, code: "STORE_UNAVAILABLE", retryAfter: true });
          // Behind the call that was under way, for 2 s each.
          expect(performance.now() - asked).toBeLessThan(5_000);
        } finally {
          redis.resume();
        }
        const back = performance.now();
        await register("after-silence");
        expect(performance.now() - back).toBeLessThan(2_000);
      });
      expectUntouched(ledger);
      expect(await metric("clipper_state_regressions_total")).toBe(0);
    });

    it("a Redis that lost everything changes nothing at the query frontend, whatever management is told; its data put back, all goes on", async () => {
      const copy = await redis.backUp();
      await eventually("management again", 5_000, async () => (await management("/v1/cluster")).ok);
      const revision = await metric("clipper_state_revision");
      const killManagement = () =>
        process.kill(processOf(cluster.scratch.directory, "management-frontend"), "SIGKILL");
      const ledger = await underLoad(async () => {
        await redis.command("FLUSHALL");
        expect(await refusal()).toEqual({ status: 503, code: "STORE_REGRESSED", retryAfter: true });

        // One that has forgotten what there was takes the empty store for its own, and the frontend knows better.
        killManagement();
        await eventually("the regression told", 15_000, async () => {
          return (await metric("clipper_state_regressions_total")) > 0;
        });
        expect(await metric("clipper_state_revision")).toBe(revision);
        expect(await cluster.predict("tagged", [1])).toMatchObject({ default: false });

        await copy.restore();
        killManagement();
        const back = performance.now();
        await eventually("management again", 15_000, async () => (await management("/v1/cluster")).ok);
        await register("after-loss");
        expect(performance.now() - back).toBeLessThan(5_000);
      });
      expectUntouched(ledger);
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
      const ledger = await underLoad(async () => {
        await redis.command("FLUSHALL");
        const { stderr } = await cluster.clipper("status");
        expect(stderr).toContain("restored 4 applications and 1 versions");
        expect(remembered(await cluster.status())).toEqual(before);
        await register("after-restoration");
      });
      expectUntouched(ledger);
      expect(replicaProcesses()).toEqual(running);
      const keys = (await redis.command("KEYS", "*")).split("\n");
      expect(keys.length).toBe(3);
    });
  },
);
