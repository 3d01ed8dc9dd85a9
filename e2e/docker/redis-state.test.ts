import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";
import { clipper } from "../support/clipper-command.ts";
import { eventually } from "../support/eventually.ts";
import { Scratch } from "../support/scratch.ts";
import { StateWitness } from "../support/state-witness.ts";
import { dockerOutput } from "./docker-command.ts";
import { baseWithProgram, removeImages } from "./support/base-images.ts";
import { DockerCluster } from "./support/docker-cluster.ts";

const absence = engineAbsence("docker");
const FIRST_DEPLOY_MS = 300_000;

describe.skipIf(absence)(
  `a cluster on Docker that runs its own Redis${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let cluster: DockerCluster;
    let witness: StateWitness;

    beforeAll(async () => {
      cluster = await DockerCluster.up({
        name: "redis",
        upArguments: ["--redis", "managed", "--image", `redis=${testImages().redis}`],
      });
      witness = new StateWitness(cluster, "tagged");
      await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", "slo-ms": "5000" });
    }, FIRST_DEPLOY_MS);

    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      expect(await cluster?.leftovers()).toEqual([]);
    });

    const secret = (name: string) =>
      readFileSync(cluster.scratch.path("home", "clusters", cluster.name, "secrets", name), "utf8");
    const redis = async () =>
      (await cluster.leftovers()).find((name) => name.startsWith(cluster.containerOf("redis-"))) ?? "";
    const redisCli = async (...words: string[]) =>
      dockerOutput("exec", "--env", `REDISCLI_AUTH=${secret("redis")}`, await redis(), "redis-cli", ...words);
    const answers = () =>
      eventually("Redis answering", 20_000, async () =>
        redisCli("PING").then(
          (answer) => answer === "PONG",
          () => false,
        ),
      );
    const names = async () => {
      const { applications, models } = await cluster.status();
      return [
        ...applications.map(({ name }) => name),
        ...models.map(({ name, version }) => `${name}:${version}`),
      ];
    };

    it("keeps its records there, as safely as a store has to", async () => {
      const keys = (await redisCli("KEYS", "*")).split("\n").sort();
      expect(keys.map((key) => key.replace(/:[0-9a-f]{8}:/, ":ID:"))).toEqual(
        ["commits", "head", "records"].map((name) => `clipper:${cluster.name}:ID:${name}`),
      );
      for (const [setting, value] of [
        ["appendonly", "yes"],
        ["appendfsync", "always"],
        ["maxmemory-policy", "noeviction"],
      ] as const) {
        expect((await redisCli("CONFIG", "GET", setting)).split("\n")[1]).toBe(value);
      }
    });

    it("lets management in and nobody else, and has no more rights than it needs", async () => {
      const container = JSON.parse(await dockerOutput("inspect", await redis()))[0];
      expect(container.HostConfig).toMatchObject({
        PortBindings: {},
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        RestartPolicy: { Name: "unless-stopped" },
      });
      expect(container.Config.User).toBe("65532:65532");
      const [replica] = (await cluster.status()).models[0]!.replicas;
      const ask =
        "import socket; s = socket.create_connection(('redis', 6379)); s.send(b'KEYS *\\r\\n'); print(s.recv(99).decode())";
      expect(await dockerOutput("exec", cluster.containerOf(replica!.id), "python3", "-c", ask)).toMatch(
        /^-NOAUTH/,
      );

      const told = [
        JSON.stringify(container),
        await dockerOutput("inspect", cluster.containerOf("management-frontend-1")),
        readFileSync(cluster.scratch.path("home", "clusters", cluster.name, "cluster.json"), "utf8"),
        (await cluster.clipper("logs")).stdout,
      ];
      for (const text of told) expect(text).not.toContain(secret("redis"));
    });

    it("has its image looked at by doctor, and had ahead of time by images build", async () => {
      // What else it finds on this machine is not looked at.
      const { stdout } = await cluster.start("doctor", "-o", "json").outcome;
      const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string }[] };
      expect(checks).toContainEqual(
        expect.objectContaining({ name: `image ${testImages().redis}`, state: "ok" }),
      );
      const built = JSON.parse((await cluster.clipper("images", "build", "-o", "json")).stdout) as object;
      expect(built).toMatchObject({ redis: testImages().redis });
    });

    it("predictions go on while its Redis is killed; management says 503, and all is as before ≤ 2 s after its return", async () => {
      await witness.expectUntouchedBy(async () => {
        const name = await redis();
        await dockerOutput("kill", name);
        expect(await witness.refusal()).toEqual({ status: 503, code: "STORE_UNAVAILABLE", retryAfter: true });
        await dockerOutput("start", name);
        await answers();
        const back = performance.now();
        await witness.register("after-kill");
        expect(performance.now() - back).toBeLessThan(2_000);
      });
    });

    it("its Redis is put back when it was removed by hand, with all that was in it", async () => {
      await witness.expectUntouchedBy(async () => {
        await dockerOutput("rm", "--force", await redis());
        expect(await names()).toEqual(["after-kill", "tagged", "tagged:1"]);
        await witness.register("after-removal");
      });
      expect(await witness.metric("clipper_state_regressions_total")).toBe(0);
    });

    it("brings applications and models back after it was taken down", async () => {
      await cluster.clipper("down");
      expect(await redis()).toBe("");
      await cluster.up();
      expect(await names()).toEqual(["after-kill", "after-removal", "tagged", "tagged:1"]);
      expect((await cluster.predict("tagged", [3])).output).toEqual({ v: "1", id: 3 });
    });

    it("stays where its records are, and is not begun where it cannot be", async () => {
      const moved = await cluster.fails(4, "up", "--redis", "redis://127.0.0.1:1", "-o", "json");
      expect(moved.stderr).toContain("STATE_ELSEWHERE");
      await cluster.fails(2, "up", "--redis", "managed", "--redis-password-file", "/nowhere");
      await cluster.fails(2, "up", "--redis-prefix", "a:");
      using scratch = new Scratch();
      const refused = await clipper(["up", "--redis", "managed", "-o", "json"], scratch.env, { code: 1 });
      expect(refused.stderr).toContain("UNSUPPORTED");
      await clipper(["status"], scratch.env, { code: 3 });
    });

    it("says what its Redis said when that does not run", async () => {
      const image = `clipper-test/${cluster.name}-no-redis:1`;
      await baseWithProgram(image, "redis-server", "#!/bin/sh\necho bad directive in the file >&2\nexit 1\n");
      const name = `${cluster.name}-broken`;
      const images = [`frontend=${testImages().base}`, `redis=${image}`];
      try {
        const { stderr } = await cluster.fails(
          5,
          ...["up", "--manager", "docker", "--redis", "managed", "--cluster", name],
          ...images.flatMap((each) => ["--image", each]),
        );
        expect(stderr).toMatch(/error: redis running on .* did not happen/);
        expect(stderr).toContain("bad directive in the file");
      } finally {
        await cluster.clipper("down", "--purge", "--yes", "--cluster", name);
        await removeImages(image);
      }
    });

    it("leaves nothing when it is purged", async () => {
      await cluster.clipper("down", "--purge", "--yes");
      expect(await cluster.leftovers()).toEqual([]);
    });
  },
);
