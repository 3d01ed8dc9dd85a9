import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probeFreeBytes } from "../../packages/docker-manager/dist/diagnosis/disk-probe.js";
import { EngineConnection } from "../../packages/docker-manager/dist/engine-connection.js";
import { SecondEngine, secondEngineAbsence } from "../environment/docker/second-engine.ts";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";
import { clipper, startClipper } from "../support/clipper-command.ts";
import { eventually } from "../support/eventually.ts";
import { Scratch } from "../support/scratch.ts";
import { ClosedRegistry } from "./support/closed-registry.ts";
import { DockerCluster } from "./support/docker-cluster.ts";

const absence = engineAbsence("docker") ?? secondEngineAbsence();
/** Belongs to nobody's group. */
const NOBODY = 65_534;
const PATIENCE_MS = 60_000;

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

function refusalOf(stderr: string): Refusal {
  return (JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { error: Refusal }).error;
}

interface Check {
  readonly name: string;
  readonly state: string;
  readonly evidence: string;
  readonly fix?: string;
}

/** What doctor told, by name. */
function checksOf(stdout: string): ReadonlyMap<string, Check> {
  const { checks } = JSON.parse(stdout) as { checks: readonly Check[] };
  return new Map(checks.map((check) => [check.name, check]));
}

describe.skipIf(absence)(
  `a cluster and the engine it is on${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let engine: SecondEngine;
    let cluster: DockerCluster;

    beforeAll(async () => {
      engine = await SecondEngine.start();
      expect(await engine.copyImage(testImages().base)).toMatchObject({ status: 0 });
      cluster = await DockerCluster.prepare({ name: "restarted", env: engine.environment() });
      // The engine has no image of a frontend yet: each of them brings it.
      const starts = [1, 2, 3].map(() => cluster.start(...cluster.upCommand).outcome);
      for (const { code, stderr } of await Promise.all(starts)) expect(code, stderr).toBe(0);
      await cluster.up();
      await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "5000" });
    }, 300_000);

    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      if (engine === undefined) return;
      const left = ["ps --all", "volume ls", "network ls --filter type=custom"].map((words) =>
        engine.docker(...words.split(" "), "--quiet").stdout.trim(),
      );
      await engine[Symbol.asyncDispose]();
      expect(left).toEqual(["", "", ""]);
    });

    it("is back and serves by itself, at the same address, when the engine was restarted", async () => {
      const answer = async () => (await cluster.predict("tagged", [7])).output;
      expect(await answer()).toEqual({ v: "1", id: 7 });
      const before = await cluster.status();
      await engine.stop();
      await expect(cluster.predict("tagged", [7])).rejects.toThrow("fetch failed");
      const away = await cluster.fails(6, "status", "-o", "json");
      expect(refusalOf(away.stderr)).toMatchObject({
        code: "ENGINE_UNREACHABLE",
        hint: expect.stringContaining("start the engine"),
      });
      const doctor = await cluster.fails(1, "doctor", "-o", "json");
      expect(JSON.parse(doctor.stdout)).toMatchObject({
        ok: false,
        checks: expect.arrayContaining([
          expect.objectContaining({
            name: "docker",
            state: "failed",
            evidence: expect.stringContaining(engine.host),
          }),
        ]),
      });

      await engine.start();
      await eventually("predictions again", PATIENCE_MS, async () => {
        const { output, default: isDefault } = await cluster.predict("tagged", [8]);
        return isDefault === false && (output as { id: number }).id === 8;
      });
      const after = await eventually("all serving", PATIENCE_MS, async () => {
        const status = await cluster.status();
        return status.models[0]?.replicas[0]?.state === "serving" && status;
      });
      expect(after.endpoints).toEqual(before.endpoints);
      expect(after.applications).toEqual(before.applications);
      expect(after.models.map(({ name, version, current }) => ({ name, version, current }))).toEqual([
        { name: "tagged", version: "1", current: true },
      ]);
    });

    it("loses the images that nobody uses when they are pruned, and no other", async () => {
      const prune = async (...words: string[]) =>
        JSON.parse((await cluster.clipper("images", "prune", ...words, "-o", "json")).stdout) as {
          removed: { ref: string }[];
          spared: { ref: string }[];
        };
      const names = () =>
        engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.trim().split("\n").sort();
      const [running = ""] = names().filter((name) => name.startsWith("clipper/tagged:"));
      await cluster.clipper("images", "build", "--image", `frontend=${running}`);
      const before = names();
      expect(await prune()).toMatchObject({
        removed: [],
        spared: [{ ref: expect.stringMatching(/^clipper\/frontend:/) }],
      });
      expect(names()).toEqual(before);
      const { removed, spared } = await prune("--min-age-ms", "0");
      expect(spared).toEqual([]);
      expect(removed).toHaveLength(1);
      expect(names()).toEqual(before.filter((name) => name !== removed[0]?.ref));
      expect(names()).toContain(running);

      // Stopped, it keeps its models' images; its frontends' is made again.
      await cluster.clipper("down");
      expect(await prune("--min-age-ms", "0")).toEqual({ removed: [], spared: [] });
      await cluster.up();
      expect((await cluster.predict("tagged", [6])).output).toEqual({ v: "1", id: 6 });
    });

    it("refuses a deploy on a base image that its registry keeps to itself, and serves as before", async () => {
      await using registry = await ClosedRegistry.start();
      const refused = await cluster.fails(
        7,
        ...cluster.deployArguments("tagged.py:v2", {
          ...{ model: "tagged", version: "2" },
          "base-image": `${registry.address}/private/python:3.11`,
        }),
        ...["-o", "json"],
      );
      expect(refusalOf(refused.stderr)).toMatchObject({
        code: "IMAGE_PULL_DENIED",
        message: expect.stringContaining(registry.address),
        hint: expect.stringContaining("docker login"),
      });
      expect((await cluster.predict("tagged", [9])).output).toEqual({ v: "1", id: 9 });
      expect((await cluster.status()).models).toHaveLength(1);

      const ref = `${registry.address}/private/python:3.11`;
      const image = `python:${testImages().pythonMinor}=${ref}`;
      const { stdout } = await cluster.fails(1, "doctor", "--image", image, "-o", "json");
      expect(checksOf(stdout).get(`image ${ref}`)).toMatchObject({
        state: "failed",
        evidence: expect.stringContaining("[IMAGE_PULL_DENIED]"),
        fix: expect.stringContaining(`docker login ${registry.address}`),
      });
    });

    it("is found well by doctor: room, networks, images", async () => {
      const checks = checksOf((await cluster.clipper("doctor", "-o", "json")).stdout);
      expect(checks.get("docker")?.evidence).toMatch(/^docker \d+\..* api \d\.\d+/);
      expect(checks.get("disk")).toMatchObject({
        state: expect.stringMatching(/^(ok|warning)$/),
        evidence: expect.stringMatching(new RegExp(`^${engine.directory}/data of the engine has .* free$`)),
      });
      expect(checks.get("networks")).toMatchObject({
        state: "ok",
        evidence: expect.stringMatching(/^25\d of 256 /),
      });
      expect(checks.get(`image ${testImages().base}`)?.state).toBe("ok");
    });

    it("tells through a container how much room it has, where its disk is another machine's", async () => {
      const connection = new EngineConnection({ source: "test", host: engine.host });
      try {
        const told = await probeFreeBytes(await connection.get());
        const { bavail, bsize } = statfsSync(`${engine.directory}/data`);
        // Others write on the same disk meanwhile.
        expect(Math.abs((told ?? 0) - bavail * bsize)).toBeLessThan(2 ** 30);
      } finally {
        await connection.close();
      }
    });

    it("is found full by `up` and by doctor when its disk is, and nothing is left", async () => {
      using scratch = new Scratch();
      await using small = await SecondEngine.start({ diskBytes: 64 << 20 });
      const env = { ...scratch.env, ...small.environment() };
      mkdirSync(scratch.path("root"));
      execFileSync("tar", [
        "--create",
        "--file",
        scratch.path("root.tar"),
        "--directory",
        scratch.path("root"),
        ".",
      ]);
      expect(small.docker("import", scratch.path("root.tar"), "empty:1")).toMatchObject({ status: 0 });
      const up = ["up", "--manager", "docker", "--cluster", "full", "--image", "frontend=empty:1"];
      const { stderr } = await clipper([...up, "-o", "json"], env, { code: 1 });
      expect(refusalOf(stderr)).toMatchObject({
        code: "ENGINE_DISK_FULL",
        hint: expect.stringContaining("prune"),
      });
      expect(small.docker("images", "--format", "{{.Repository}}").stdout.trim()).toBe("empty");
      for (const words of ["ps --all", "volume ls", "network ls --filter type=custom"]) {
        expect(small.docker(...words.split(" "), "--quiet").stdout).toBe("");
      }
      await clipper(["status", "--cluster", "full"], env, { code: 3 });

      const { stdout } = await clipper(["doctor", "--manager", "docker", "-o", "json"], env, { code: 1 });
      expect(checksOf(stdout).get("disk")).toMatchObject({
        state: "failed",
        evidence: expect.stringMatching(/has \d+ MiB free.*\[ENGINE_DISK_FULL\]$/),
        fix: expect.stringContaining("docker system df"),
      });
    });

    describe("that cannot be started there", () => {
      const base = testImages().base;
      const up = (name: string) => [
        ...["up", "--manager", "docker", "--cluster", name, "--image", `frontend=${base}`, "-o", "json"],
      ];
      const left = (name: string) =>
        ["ps --all", "volume ls", "network ls"].map((words) =>
          engine
            .docker(...words.split(" "), "--quiet", "--filter", `label=clipper-serving.cluster=${name}`)
            .stdout.trim(),
        );

      it("because a pinned port is taken: says by whom, and leaves nothing", async () => {
        using scratch = new Scratch();
        const env = { ...scratch.env, ...engine.environment() };
        const holder = createServer().listen(0, "127.0.0.1");
        await new Promise((resolve) => holder.once("listening", resolve));
        const { port } = holder.address() as { port: number };
        try {
          const { stderr } = await clipper([...up("pinned"), "--query-port", String(port)], env, { code: 4 });
          const error = refusalOf(stderr);
          expect(error).toMatchObject({ code: "PORT_TAKEN", hint: expect.stringContaining("pin another") });
          expect(error.message).toContain(`port ${port}`);
          expect(error.message).toContain(`pid ${process.pid}`);

          const asked = ["doctor", "--manager", "docker", "--query-port", String(port), "-o", "json"];
          const { stdout } = await clipper([...asked, "--image", `frontend=${base}`], env, { code: 1 });
          expect(checksOf(stdout).get(`port ${port}`)).toMatchObject({
            state: "failed",
            evidence: expect.stringMatching(new RegExp(`pid ${process.pid}.*\\[PORT_TAKEN\\]$`)),
          });
        } finally {
          holder.close();
        }
        expect(left("pinned")).toEqual(["", "", ""]);
        await clipper(["status", "--cluster", "pinned"], env, { code: 3 });
      });

      it("because no engine is there, or it is not for this user: says so, and so does doctor", async () => {
        using scratch = new Scratch();
        const nowhere = { ...scratch.env, DOCKER_HOST: `unix://${scratch.path("nobody.sock")}` };
        const absent = await clipper(up("nowhere"), nowhere, { code: 6 });
        expect(refusalOf(absent.stderr)).toMatchObject({
          code: "ENGINE_UNREACHABLE",
          message: expect.stringContaining("there is no such socket"),
          hint: expect.stringContaining("start the engine"),
        });
        await clipper(["status", "--cluster", "nowhere"], nowhere, { code: 3 });
        const sick = await clipper(["doctor", "--manager", "docker"], nowhere, { code: 1 });
        expect(sick.stdout).toMatch(
          /✗ docker: .*there is no such socket.*\[ENGINE_UNREACHABLE\]\n {4}fix: start/,
        );

        // The way to the socket and to a home is open, so that it is the socket that refuses.
        chmodSync(engine.directory, 0o755);
        chmodSync(scratch.directory, 0o755);
        // doctor, asked before, has made it.
        mkdirSync(scratch.path("home"), { recursive: true });
        chownSync(scratch.path("home"), NOBODY, NOBODY);
        const closed = { ...scratch.env, ...engine.environment(), HOME: scratch.path("home") };
        try {
          const refused = await startClipper(up("closed"), closed, NOBODY).outcome;
          expect(refused.code, refused.stderr).toBe(7);
          expect(refusalOf(refused.stderr)).toMatchObject({
            code: "ENGINE_PERMISSION_DENIED",
            hint: expect.stringContaining("group"),
          });
          const { code, stdout } = await startClipper(["doctor", "--manager", "docker"], closed, NOBODY)
            .outcome;
          expect(code).toBe(1);
          expect(stdout).toMatch(/✗ docker: .*\[ENGINE_PERMISSION_DENIED\]\n {4}fix: .*group/);
        } finally {
          chmodSync(engine.directory, 0o700);
        }
      });
    });
  },
);
