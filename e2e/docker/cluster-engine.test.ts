import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

describe.skipIf(absence)(
  `a cluster and the engine it is on${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let engine: SecondEngine;
    let cluster: DockerCluster;

    beforeAll(async () => {
      engine = await SecondEngine.start();
      expect(await engine.copyImage(testImages().base)).toMatchObject({ status: 0 });
      cluster = await DockerCluster.up({ name: "restarted", env: engine.environment() });
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

        // The way to the socket and to a home is open, so that it is the socket that refuses.
        chmodSync(engine.directory, 0o755);
        chmodSync(scratch.directory, 0o755);
        mkdirSync(scratch.path("home"));
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
