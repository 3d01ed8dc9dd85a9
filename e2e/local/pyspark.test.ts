import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineAbsence } from "../environment/engines.ts";
import { eventually } from "../support/eventually.ts";
import { LocalCluster } from "../support/local-cluster.ts";
import { processesOf } from "../support/processes.ts";
import { startRowLoad } from "../support/row-load.ts";
import { SparkModels, sparkPython } from "../support/spark-models.ts";

const absence = engineAbsence("spark");
const APP = "cancer";
/** Spark takes seconds to start where a function takes milliseconds, and more on a machine that is shared. */
const DEPLOY_MS = 300_000;

describe.skipIf(absence !== undefined)(
  `PySpark models on plain processes (${absence ?? "Java is there"})`,
  () => {
    let cluster: LocalCluster;
    let models: SparkModels;

    beforeAll(async () => {
      cluster = await LocalCluster.up("spark");
      models = new SparkModels(cluster, await sparkPython());
    }, DEPLOY_MS);

    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
    });

    it(
      "a training script goes live in one command, and answers as Spark itself does",
      async () => {
        await models.deployTrained(APP);
        const [deployed] = (await cluster.status()).models;
        expect(deployed?.floor.map(({ batchSize }) => batchSize)).toEqual([1, 8, 64]);
        const expected = models.rows.slice(0, 60).map(({ label, p }, id) => ({ v: "1", id, label, p }));
        const answers = await models.predictBatch(
          APP,
          expected.map(({ id }) => models.input(id)),
        );
        expect(answers.map(({ output }) => output)).toEqual(expected);
      },
      DEPLOY_MS,
    );

    it(
      "answers 5,000 queries within 3 s each, none by default",
      async () => {
        const load = startRowLoad({
          ...{ url: cluster.query, app: APP, rows: models.rows, total: 5_000 },
          window: { first: 2, most: 256 },
        });
        const { answered, defaults, failed, wrong } = await load.done;
        expect({ defaults, failed, wrong }).toEqual({ defaults: [], failed: [], wrong: [] });
        expect(Object.fromEntries(answered)).toEqual({ 1: 5_000 });
      },
      DEPLOY_MS,
    );

    it("no application is routed to it that promises more than it was measured to keep, unless forced", async () => {
      await cluster.clipper("app", "create", "hasty", "--input-type", "doubles", "--slo-ms", "5");
      const { stderr } = await cluster.fails(4, "app", "link", "hasty", APP, "-o", "json");
      const { error } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as {
        error: { code: string; message: string; facts: { floorMicros: number } };
      };
      expect(error.code).toBe("SLO_BELOW_FLOOR");
      const [deployed] = (await cluster.status()).models;
      const floor = Math.min(...(deployed?.floor ?? []).map(({ p50Micros }) => p50Micros));
      expect(error.message).toContain("within 5 ms");
      expect(error.message).toContain(`${Number((floor / 1_000).toFixed(3))} ms`);
      await cluster.clipper("app", "link", "hasty", APP, "--force");
      await cluster.clipper("app", "delete", "hasty");
    });

    it("a Spark job that fails fails for its row alone, and the replica stays", async () => {
      const inputs = [[0], [1], [2, -1], [3]] as const;
      const answers = await models.predictBatch(
        APP,
        inputs.map(([index, id]) => models.input(index, id)),
      );
      expect(
        answers.map(({ default_reason, output }) => default_reason ?? (output as { id: number }).id),
      ).toEqual([0, 1, "model_error", 3]);
      const [version] = (await cluster.status()).models;
      expect(version?.replicas).toMatchObject([{ state: "serving", restarts: 0 }]);
    });

    it(
      "a new version from a saved model, and the way back, lose no request",
      async () => {
        const window = { first: 8, most: 8 };
        const load = startRowLoad({ url: cluster.query, app: APP, rows: models.rows, window });
        await models.deploySaved(APP, "2");
        expect(await cluster.predict(APP, models.input(7))).toMatchObject({ output: { v: "2", id: 7 } });
        await cluster.clipper("model", "rollback", APP);
        expect(await cluster.predict(APP, models.input(8))).toMatchObject({ output: { v: "1", id: 8 } });
        const { answered, failed, wrong } = await load.stop();
        expect({ failed, wrong }).toEqual({ failed: [], wrong: [] });
        expect([...answered.keys()].sort()).toEqual(["1", "2"]);
      },
      DEPLOY_MS,
    );

    it("a replica whose Java is killed ends, and is there again", async () => {
      const before = javaProcesses(cluster);
      const [version] = (await cluster.status()).models.filter(({ current }) => current);
      const instance = version?.replicas[0]?.id ?? "";
      const java = before.find(({ environment }) => environment.includes(`CLIPPER_INSTANCE=${instance}\0`));
      process.kill(java?.pid ?? 0, "SIGKILL");
      await eventually("the replica being started again", 60_000, async () => (await restarts(cluster)) > 0);
      const answer = await eventually("an answer that is no default", 60_000, async () => {
        const { default: isDefault, output } = await cluster.predict(APP, models.input(9, 1_000_009));
        return isDefault === false && output;
      });
      expect(answer).toMatchObject({ v: "1", label: models.rows[9]?.label });
      expect(javaProcesses(cluster).length).toBe(before.length);
    });

    it(
      "a live session's RDD-based model goes live from a bundle",
      async () => {
        const expected = await models.saveFromLiveSession(cluster.scratch.path("rdd"));
        await models.deploy("--bundle", cluster.scratch.path("rdd"), "--app", "rdd");
        const answers = await models.predictBatch("rdd", expected.rows);
        expect(answers.map(({ output }) => output)).toEqual(expected.labels);
      },
      DEPLOY_MS,
    );

    it("a stopped replica stops Spark within its grace, and leaves no file of its own", async () => {
      const before = javaProcesses(cluster);
      const startedAt = performance.now();
      await cluster.clipper("model", "stop", "rdd");
      await eventually("its Java gone", 10_000, () => javaProcesses(cluster).length === before.length - 1);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      const left = new Set(javaProcesses(cluster).map(({ pid }) => pid));
      const [stopped] = before.filter(({ pid }) => !left.has(pid));
      const scratch = /-Djava\.io\.tmpdir=(\S+)/.exec(stopped?.commandLine ?? "")?.[1] ?? "";
      expect(scratch).toContain("clipper-spark-");
      await eventually("its files gone", 10_000, () => !existsSync(scratch));
    });

    describe("is refused before anything is made", () => {
      const saved = () => [
        ...["deploy", `${models.file("pyspark_cancer.py")}:v2`, "--pyspark", "--name", "refused"],
        ...["--input-type", "doubles", "--model-path"],
      ];

      async function refused(code: string, args: readonly string[], env: Record<string, string> = {}) {
        const made = () => [readdirSync(cluster.scratch.path("home")), javaProcesses(cluster).length];
        const before = made();
        const outcome = await models.run([...args, "-o", "json"], env);
        const { error } = JSON.parse(outcome.stderr.trim().split("\n").at(-1) ?? "") as {
          error: { code: string; message: string; hint?: string };
        };
        expect({ exit: outcome.code, code: error.code }).toEqual({ exit: 1, code });
        expect(made()).toEqual(before);
        return `${error.message}\n${error.hint ?? ""}`;
      }

      /** A Java that only says which it is. */
      function fakeJava(version: string): string {
        const home = cluster.scratch.path(`java-${version}`);
        mkdirSync(join(home, "bin"), { recursive: true });
        const lines = [
          "#!/bin/sh",
          `echo "    java.home = ${home}" >&2`,
          `echo "    java.version = ${version}" >&2`,
        ];
        writeFileSync(join(home, "bin", "java"), `${lines.join("\n")}\n`);
        chmodSync(join(home, "bin", "java"), 0o755);
        return home;
      }

      /** The live session's bundle with another manifest. */
      function changedBundle(change: (manifest: Manifest) => Manifest): string {
        const bundle = cluster.scratch.path(`changed-${changes++}`);
        cpSync(cluster.scratch.path("rdd"), bundle, { recursive: true });
        const manifest = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8")) as Manifest;
        writeFileSync(join(bundle, "manifest.json"), JSON.stringify(change({ ...manifest, version: "2" })));
        return bundle;
      }
      let changes = 0;

      it("where there is no Java, with what to install", async () => {
        const env = { JAVA_HOME: "", PATH: cluster.scratch.path("nothing") };
        const told = await refused("JAVA_MISSING", [...saved(), models.savedModel], env);
        expect(told).toContain("openjdk-17-jre-headless");
      });

      it("on a Java that its PySpark does not run on, and on another than it is locked to", async () => {
        const old = { JAVA_HOME: fakeJava("11.0.2") };
        expect(await refused("JAVA_MISMATCH", [...saved(), models.savedModel], old)).toContain("11.0.2");
        const other = { JAVA_HOME: fakeJava("21.0.1") };
        const told = await refused(
          "JAVA_MISMATCH",
          ["deploy", "--bundle", changedBundle((same) => same)],
          other,
        );
        expect(told).toMatch(/Python 3\.\d+, PySpark [\d.]+ and Java 17, and here are .* and Java 21/);
      });

      it("by another Python, with all versions named", async () => {
        const bundle = changedBundle((manifest) => ({ ...manifest, pythonMinor: "3.9" }));
        const told = await refused("PYTHON_MISMATCH", ["deploy", "--bundle", bundle]);
        expect(told).toMatch(/Python 3\.9, PySpark [\d.]+ and Java 17, and here are Python 3\.1\d/);
      });

      it("by another PySpark than its lock installs, and when a newer Spark saved the model", async () => {
        const bundle = changedBundle((manifest) => ({
          ...manifest,
          pyspark: { ...manifest.pyspark, version: "3.5.0" },
        }));
        const told = await refused("PYSPARK_MISMATCH", ["deploy", "--bundle", bundle]);
        expect(told).toMatch(/PySpark 3\.5\.0 and Java 17, and here are .*PySpark 4/);

        const newer = cluster.scratch.path("newer");
        cpSync(models.savedModel, newer, { recursive: true });
        const part = readdirSync(join(newer, "metadata")).find((name) => name.startsWith("part-")) ?? "";
        const metadata = readFileSync(join(newer, "metadata", part), "utf8");
        writeFileSync(
          join(newer, "metadata", part),
          metadata.replace(/"sparkVersion":"[^"]+"/, '"sparkVersion":"9.0.0"'),
        );
        expect(await refused("PYSPARK_MISMATCH", [...saved(), newer])).toContain("9.0.0");
      });

      it("when the directory holds no model that Spark saved", async () => {
        expect(await refused("CAPTURE_FAILED", [...saved(), models.kept])).toContain(
          "no model saved by Spark",
        );
      });

      it("when the function keeps the session that trained", async () => {
        const told = await refused("NOT_PICKLABLE", [
          ...["deploy", `${models.file("pyspark_cancer.py")}:keeps_the_session`, "--pyspark"],
          ...["--name", "refused", "--input-type", "doubles"],
        ]);
        expect(told).toContain("spark");
        expect(told).toContain("use the session and the model that the function is called with");
      });
    });

    it("no Java is left 5 s after the supervisor was killed", async () => {
      expect(javaProcesses(cluster)).not.toEqual([]);
      const supervisor = processesOf(cluster.scratch.directory).find(({ commandLine }) =>
        commandLine.includes("supervisor"),
      );
      process.kill(supervisor?.pid ?? 0, "SIGKILL");
      await eventually("every Java gone", 5_000, () => javaProcesses(cluster).length === 0);
    });
  },
);

interface Manifest {
  readonly version: string;
  readonly pythonMinor: string;
  readonly pyspark: { readonly version: string };
}

function javaProcesses(cluster: LocalCluster) {
  return processesOf(cluster.scratch.directory).filter(({ commandLine }) => commandLine.includes("/java "));
}

/** Restarts of the current version's replica. */
async function restarts(cluster: LocalCluster): Promise<number> {
  const served = (await cluster.status()).models.find(({ name, current }) => name === APP && current);
  return served?.replicas[0]?.restarts ?? 0;
}
