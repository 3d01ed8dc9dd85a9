import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";
import { countedQueries } from "../support/counted-queries.ts";
import { eventually } from "../support/eventually.ts";
import { startLoad } from "../support/ledger-load.ts";
import { docker, HARDENED } from "./docker-command.ts";
import { baseWithMusl, baseWithPackage, baseWithPython, removeImages } from "./support/base-images.ts";
import { DockerCluster } from "./support/docker-cluster.ts";

const absence = engineAbsence("docker");
const models = join(import.meta.dirname, "..", "models", "docker");
/** Environments are installed, compiled and sent to the engine for the first time. */
const FIRST_DEPLOY_MS = 300_000;

describe.skipIf(absence)(
  `a cluster on a Docker engine${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let cluster: DockerCluster;

    beforeAll(async () => {
      cluster = await DockerCluster.up();
      await cluster.deploy("tagged.py:v1", {
        model: "tagged",
        app: "tagged",
        "slo-ms": "5000",
        sample: "[1]",
      });
    }, FIRST_DEPLOY_MS);

    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      expect(await cluster?.leftovers()).toEqual([]);
    });

    const serving = async () => ((await cluster.predict("tagged", [1])).output as { v: string }).v;
    const replicasOf = async (model: string, version = "1") =>
      (await cluster.status()).models.find((each) => each.name === model && each.version === version)
        ?.replicas ?? [];
    const versionsOf = async (model: string) =>
      (await cluster.status()).models.flatMap(({ name, version }) => (name === model ? [version] : []));
    const bundles = () => readdir(cluster.scratch.path("home", "clusters", cluster.name, "bundles"));

    describe("a scikit-learn closure with a local module", () => {
      it(
        "answers as in the interpreter that captured it",
        async () => {
          const held = execFileSync(cluster.python, [join(models, "held_out_digits.py")], {
            encoding: "utf8",
          });
          const { rows, expected } = JSON.parse(held) as { rows: number[][]; expected: string[] };
          await cluster.deploy("docker/digits.py:predict", {
            model: "digits",
            app: "digits",
            "slo-ms": "5000",
            sample: JSON.stringify(rows[0]),
          });
          const { stdout } = await cluster.clipper(
            "predict",
            "digits",
            "--batch",
            "--data",
            JSON.stringify(rows),
          );
          const { batch_predictions } = JSON.parse(stdout) as {
            batch_predictions: { output: number; default: boolean }[];
          };
          expect(batch_predictions.filter((answer) => answer.default)).toEqual([]);
          expect(batch_predictions.map(({ output }) => String(output))).toEqual(expected);
        },
        FIRST_DEPLOY_MS,
      );

      it("has all it needs in its image: without a network and a disk to write on it loads and answers", async () => {
        const [replica] = await replicasOf("digits");
        const image = await cluster.inspect(replica?.id ?? "", "{{.Image}}");
        const entrypoint = await cluster.inspect(replica?.id ?? "", "{{json .Config.Entrypoint}}");
        const [python = "", ...rest] = JSON.parse(entrypoint) as string[];
        expect(rest).toEqual(["-m", "clipper_runtime.replica"]);
        const trial = ["-m", "clipper_runtime.preflight", "--bundle", "/opt/clipper/bundle"];
        const { status, stdout, stderr } = await docker(
          ...["run", ...HARDENED, "--entrypoint", python, image, ...trial],
        );
        expect(status, stderr).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({ ok: true, outputs: [expect.stringMatching(/^\d$/)] });
      });
    });

    it("has Prometheus find its frontends where they are published", async () => {
      const file = cluster.scratch.path("home", "clusters", cluster.name, "secrets", "token");
      const headers = { authorization: `Bearer ${await readFile(file, "utf8")}` };
      const answer = await fetch(new URL("/v1/prometheus/targets", cluster.management), { headers });
      const [group] = (await answer.json()) as { targets: string[] }[];
      expect(group?.targets).toEqual([new URL(cluster.query).host]);
      const metrics = await fetch(`http://${group?.targets[0]}/metrics`, { headers });
      expect(await metrics.text()).toContain("clipper_queries_total");
    });

    it("scales 1 → 4 → 2, takes a new version and rolls back under 200 requests a second: no request is lost or answered by a default", async () => {
      const countBefore = await countedQueries(cluster.query, "tagged");
      const load = startLoad({ url: cluster.query, app: "tagged", rate: 200, maxMs: 110_000 });
      const scaledTo = async (version: string, replicas: number) => {
        await cluster.clipper("model", "scale", "tagged", version, String(replicas));
        expect(await replicasOf("tagged", version)).toHaveLength(replicas);
      };
      await scaledTo("1", 4);
      await scaledTo("1", 2);
      await cluster.deploy("tagged.py:v2", { model: "tagged", version: "2", replicas: "2", sample: "[1]" });
      expect(await serving()).toBe("2");
      await cluster.clipper("model", "rollback", "tagged");
      expect(await serving()).toBe("1");
      const ledger = await load.stop();
      expect(ledger.entries.length).toBeGreaterThan(1_000);
      expect(ledger.failed).toEqual([]);
      expect(ledger.wrong).toEqual([]);
      expect(ledger.defaults).toEqual([]);
      expect(new Set(ledger.answered.map(({ version }) => version))).toEqual(new Set(["1", "2"]));
      const checks = 2;
      expect((await countedQueries(cluster.query, "tagged")) - countBefore).toBe(
        ledger.entries.length + checks,
      );
    });

    describe("a deploy that cannot be", () => {
      const errorOf = (stderr: string) =>
        (JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { error: { code: string; message: string } })
          .error;

      it.each([
        ["raises", "PREFLIGHT_FAILED", "not to my liking"],
        ["misses_module", "MODULE_MISSING", "no_such_module_anywhere"],
        ["wrong_length", "BAD_OUTPUT", "returned"],
      ])("%s: names its cause, and leaves what served and nothing else", async (name, code, cause) => {
        const before = await Promise.all([cluster.leftovers(), bundles()]);
        const refused = cluster.deployArguments(`broken.py:${name}`, {
          model: "tagged",
          version: "3",
          sample: "[1]",
        });
        const error = errorOf((await cluster.fails(1, ...refused, "-o", "json")).stderr);
        expect(error).toMatchObject({ code, message: expect.stringContaining(cause) });
        expect(await serving()).toBe("1");
        expect(await versionsOf("tagged")).not.toContain("3");
        expect(await Promise.all([cluster.leftovers(), bundles()])).toEqual(before);
      });

      it.each([
        ["memory", "4m", "Minimum memory limit"],
        ["cpus", "4096", "CPUs"],
      ])(
        "for --%s %s, which the engine refuses: says so at once, in the engine's words",
        async (option, value, words) => {
          const before = await Promise.all([cluster.leftovers(), bundles()]);
          const refused = cluster.deployArguments("tagged.py:v3", {
            ...{ model: "tagged", version: "3", sample: "[1]", [option]: value },
          });
          const outcome = await cluster.fails(1, ...refused, "-o", "json");
          expect(errorOf(outcome.stderr)).toMatchObject({
            code: "ENGINE_REFUSED",
            message: expect.stringContaining(words),
          });
          expect(outcome.stderr).not.toContain("accepted by the platform");
          expect(await serving()).toBe("1");
          expect(await Promise.all([cluster.leftovers(), bundles()])).toEqual(before);
        },
      );

      it("for a base image with another Python: named, with both, before the function is even captured", async () => {
        const base = `clipper-test/other-python:${cluster.name}`;
        await baseWithPython(base, "3.9");
        try {
          const refused = cluster.deployArguments("docker/says_it_runs.py:predict", {
            ...{ model: "tagged", version: "3", sample: "[1]" },
            "base-image": base,
          });
          const { stderr } = await cluster.fails(1, ...refused, "-o", "json");
          const error = errorOf(stderr);
          expect(error.code).toBe("PYTHON_MISMATCH");
          expect(error.message).toContain(`Python ${testImages().pythonMinor}`);
          expect(error.message).toContain("Python 3.9");
          expect(stderr).not.toContain("this file is being executed");
          expect(await serving()).toBe("1");
        } finally {
          await removeImages(base);
        }
      });
    });

    it("refuses a base image with musl, for a function and for the frontends, before anything is made", async () => {
      const base = `clipper-test/musl:${cluster.name}`;
      await baseWithMusl(base);
      try {
        const before = await Promise.all([cluster.leftovers(), bundles()]);
        const refused = cluster.deployArguments("docker/says_it_runs.py:predict", {
          ...{ model: "tagged", version: "3", sample: "[1]" },
          "base-image": base,
        });
        const { stderr } = await cluster.fails(1, ...refused, "-o", "json");
        expect(stderr).toContain(`"code":"LIBC_MISMATCH"`);
        expect(stderr).toContain(`for glibc, and ${base} has musl`);
        expect(stderr).not.toContain("this file is being executed");
        expect(await Promise.all([cluster.leftovers(), bundles()])).toEqual(before);

        const other = ["--cluster", `${cluster.name}-musl`];
        const up = ["up", "--manager", "docker", "--image", `frontend=${base}`, ...other, "-o", "json"];
        expect((await cluster.fails(1, ...up)).stderr).toContain(`"code":"LIBC_MISMATCH"`);
        await cluster.fails(3, "status", ...other);
      } finally {
        await removeImages(base);
      }
    });

    describe("a base image of the user's own", () => {
      const base = () => `clipper-test/with-networkx:${cluster.name}`;
      const deploy = (version: string, more: Record<string, string>) =>
        cluster.deployArguments("docker/shortest_path.py:length", {
          ...{ model: "paths", version, app: "paths", "slo-ms": "5000", "input-type": "integers" },
          ...{ sample: "[1, 2, 3]", ...more },
        });

      beforeAll(() => baseWithPackage(base(), "networkx==3.2.1"));
      afterAll(() => removeImages(base()));

      it("gives a function what this machine has not: the documentation's example", async () => {
        const { stderr } = await cluster.clipper(...deploy("1", { "base-image": base() }));
        expect(stderr).toContain(`networkx is not on this machine: the function is tried in ${base()}`);
        expect(await cluster.predict("paths", [4, 5, 6, 9])).toMatchObject({ output: 3, default: false });
      });

      it("is told by its replicas when it has it not either, and what served goes on", async () => {
        const before = await cluster.replicaThings();
        const { stderr } = await cluster.fails(
          1,
          ...deploy("2", { "base-image": testImages().base, "ready-timeout-ms": "60000" }),
        );
        expect(stderr).toContain("MODULE_MISSING");
        expect(stderr).toContain("networkx");
        expect(await cluster.predict("paths", [1, 2, 3, 4, 5])).toMatchObject({ output: 4, default: false });
        expect(await versionsOf("paths")).toEqual(["1"]);
        expect(await cluster.replicaThings()).toEqual(before);
      });
    });

    it("lives beside another cluster of the same engine, and stays when that one goes", async () => {
      const other = await DockerCluster.up({ name: "other" });
      try {
        await other.deploy("tagged.py:v3", { model: "tagged", app: "tagged", "slo-ms": "5000" });
        expect((await other.predict("tagged", [1])).output).toEqual({ v: "3", id: 1 });
        expect(await serving()).toBe("1");
        expect((await other.status()).models).toHaveLength(1);
        const { stdout } = await docker(
          "network",
          "ls",
          "--format",
          "{{.Name}}",
          "--filter",
          "name=clipper.",
        );
        const networks = stdout.split("\n");
        for (const { name } of [cluster, other]) {
          expect(networks.filter((network) => network.startsWith(`clipper.${name}.`))).toHaveLength(1);
        }
      } finally {
        await other[Symbol.asyncDispose]();
      }
      expect(await other.leftovers()).toEqual([]);
      expect(await serving()).toBe("1");
    });

    describe("whose deploying process is killed", () => {
      const arguments_ = (version: string) =>
        cluster.deployArguments("slow_to_load.py:predict", { model: "tagged", version, sample: "[1]" });

      it("at any phase: what served goes on, nothing is left of it, and the same deploy then succeeds", async () => {
        const before = await Promise.all([versionsOf("tagged"), cluster.replicaThings()]);
        const phases = [
          "captured as",
          "the function answers",
          "layers over its base",
          "accepted by the platform",
        ];
        for (const [index, shown] of phases.entries()) {
          const running = cluster.start(...arguments_(String(10 + index)));
          await running.shows(shown);
          running.child.kill("SIGKILL");
          await running.outcome;
          expect(await serving()).toBe("1");
        }
        await eventually("nothing left of them", 30_000, async () => {
          expect(await Promise.all([versionsOf("tagged"), cluster.replicaThings()])).toEqual(before);
          return true;
        });
        await cluster.clipper(...arguments_("13"));
        expect(await serving()).toBe("slow");
      });
    });
  },
);
