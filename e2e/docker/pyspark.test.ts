import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";
import { startRowLoad } from "../support/row-load.ts";
import { SparkModels, sparkPython } from "../support/spark-models.ts";
import { docker, dockerOutput, HARDENED } from "./docker-command.ts";
import { baseWithJava, removeImages } from "./support/base-images.ts";
import { DockerCluster } from "./support/docker-cluster.ts";

const absence = engineAbsence("docker") ?? engineAbsence("spark");
const APP = "cancer";
/** The first makes an environment of some 600 MB and sends it to the engine. */
const DEPLOY_MS = 300_000;
const MIB = 2 ** 20;

describe.skipIf(absence !== undefined)(
  `PySpark models on a Docker engine (${absence ?? "it is there, and Java"})`,
  () => {
    let cluster: DockerCluster;
    let models: SparkModels;

    beforeAll(async () => {
      const { java, pythonMinor } = testImages();
      const python = await sparkPython();
      const image = `pyspark:${pythonMinor}=${java}`;
      cluster = await DockerCluster.up({ name: "spark", python, upArguments: ["--image", image] });
      models = new SparkModels(cluster, python);
    }, DEPLOY_MS);

    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      expect(await cluster?.leftovers()).toEqual([]);
    });

    const replicasOf = async (model: string, version = "1") =>
      (await cluster.status()).models.find((each) => each.name === model && each.version === version)
        ?.replicas ?? [];

    /** One value of `docker inspect` of a version's first replica, as JSON. */
    const inspected = async (template: string, model = APP, version = "1") => {
      const [replica] = await replicasOf(model, version);
      return JSON.parse(await cluster.inspect(replica?.id ?? "", `{{json ${template}}}`)) as unknown;
    };

    it(
      "a training script goes live in one command, and answers as Spark itself does",
      async () => {
        await models.deployTrained(APP);
        const expected = models.rows.slice(0, 60).map(({ label, p }, id) => ({ v: "1", id, label, p }));
        const inputs = expected.map(({ id }) => models.input(id));
        const answers = await models.predictBatch(APP, inputs);
        expect(answers.map(({ output }) => output)).toEqual(expected);
      },
      DEPLOY_MS,
    );

    it("its container is as narrow as any, but for scratch space that Spark can use", async () => {
      expect(await inspected(".HostConfig")).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        Tmpfs: { "/tmp": `rw,nosuid,nodev,exec,size=${1_024 * MIB},mode=1777` },
      });
      expect(await inspected(".Config.Env")).toContain("JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64");
    });

    it("its image has all it needs: without a network it loads the model and answers", async () => {
      const image = (await inspected(".Image")) as string;
      const [python = ""] = (await inspected(".Config.Entrypoint")) as string[];
      const { status, stdout, stderr } = await docker(
        ...["run", ...HARDENED, "--tmpfs", "/tmp:exec,size=1g", "--entrypoint", python, image],
        ...["-m", "clipper_runtime.preflight", "--bundle", "/opt/clipper/bundle"],
      );
      expect(status, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, outputs: [expect.stringContaining('"v": "1"')] });
    });

    it(
      "a new version, more replicas and the way back lose no request; the environment is not sent again",
      async () => {
        const load = startRowLoad({
          ...{ url: cluster.query, app: APP, rows: models.rows, window: { first: 8, most: 8 } },
        });
        await models.deploySaved(APP, "2");
        expect(await cluster.predict(APP, models.input(7))).toMatchObject({ output: { v: "2", id: 7 } });
        await cluster.clipper("model", "rollback", APP);
        await cluster.clipper("model", "scale", APP, "1", "2");
        await cluster.clipper("model", "scale", APP, "1", "1");
        expect(await cluster.predict(APP, models.input(8))).toMatchObject({ output: { v: "1", id: 8 } });
        const { answered, failed, wrong } = await load.stop();
        expect({ failed, wrong }).toEqual({ failed: [], wrong: [] });
        expect([...answered.keys()].sort()).toEqual(["1", "2"]);

        const layers = await Promise.all(
          ["1", "2"].map(async (version) => {
            const image = (await inspected(".Image", APP, version)) as string;
            const text = await dockerOutput("image", "inspect", "--format", "{{json .RootFS.Layers}}", image);
            return JSON.parse(text) as string[];
          }),
        );
        const [first = [], second = []] = layers;
        // base, runtime, environment; model and function are others
        expect(second.slice(0, 3)).toEqual(first.slice(0, 3));
        expect(second).not.toEqual(first);
      },
      DEPLOY_MS,
    );

    it("a replica that is told to end stops Spark, and is put back", async () => {
      const [replica] = await replicasOf(APP);
      const container = cluster.containerOf(replica?.id ?? "");
      await dockerOutput("stop", "--time", "20", container);
      expect(await inspected(".State")).toMatchObject({ ExitCode: 0, OOMKilled: false });
      const { stdout, stderr } = await docker("logs", "--tail", "3", container);
      expect(`${stdout}${stderr}`).toContain("drained");
      await cluster.clipper("model", "scale", APP, "1", "1");
      expect(await cluster.predict(APP, models.input(9))).toMatchObject({ output: { v: "1", id: 9 } });
    });

    it(
      "a live session's RDD-based model goes live from a bundle, within the memory it is given",
      async () => {
        const expected = await models.saveFromLiveSession(cluster.scratch.path("rdd"));
        await models.deploy("--bundle", cluster.scratch.path("rdd"), "--app", "rdd", "--memory", "1g");
        const answers = await models.predictBatch("rdd", expected.rows);
        expect(answers.map(({ output }) => output)).toEqual(expected.labels);
        expect(await inspected(".HostConfig.Memory", "rdd")).toBe(1_024 * MIB);
        const processes = await dockerOutput(
          "top",
          cluster.containerOf((await replicasOf("rdd"))[0]?.id ?? ""),
        );
        expect(processes).toContain("-Xmx512m");
      },
      DEPLOY_MS,
    );

    describe("is refused before it is captured, and nothing of it is made", () => {
      async function refused(code: string, base: string): Promise<string> {
        const images = ["images", "--quiet", "--filter", "reference=clipper/refused"];
        const made = async () => [await cluster.leftovers(), await dockerOutput(...images)];
        const before = await made();
        const outcome = await models.run([
          ...["deploy", `${models.file("pyspark_cancer.py")}:build`, "--pyspark", "--name", "refused"],
          ...["--input-type", "doubles", "--base-image", base, "-o", "json"],
        ]);
        const { error } = JSON.parse(outcome.stderr.trim().split("\n").at(-1) ?? "") as {
          error: { code: string; message: string; hint: string };
        };
        expect({ exit: outcome.code, code: error.code }).toEqual({ exit: 1, code });
        expect(outcome.stderr).not.toContain("capturing");
        expect(await made()).toEqual(before);
        return `${error.message}\n${error.hint}`;
      }

      it("on a base without Java, with the two lines that make one", async () => {
        const told = await refused("JAVA_MISSING", testImages().base);
        expect(told).toContain(`${testImages().base} has none`);
        expect(told).toMatch(/FROM python:3\.\d+-slim-bookworm.*openjdk-17-jre-headless/);
      });

      it("on a base with another Java, with all versions named", async () => {
        const base = `clipper-test/other-java:${cluster.name}`;
        await baseWithJava(base, "21.0.2");
        try {
          const told = await refused("JAVA_MISMATCH", base);
          expect(told).toMatch(
            /locked to Python 3\.\d+, PySpark [\d.]+ and Java 17, and .* has Python 3\.\d+ and Java 21/,
          );
        } finally {
          await removeImages(base);
        }
      });
    });
  },
);
