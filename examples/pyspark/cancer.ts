/**
 * Trains a spark.ml pipeline, puts it behind an endpoint in one call, and asks it about rows it has never seen.
 * PYTHON names an interpreter that has what requirements.txt says.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ClipperConnection, type ProgressEvent } from "@clipper-serving/core";
import { createEndpoint } from "@clipper-serving/deployer-pyspark";
import { LocalContainerManager } from "@clipper-serving/local-manager";

const python = process.env.PYTHON ?? "python3";
const script = join(import.meta.dirname, "train.py");
const heldOut = JSON.parse(execFileSync(python, [script], { encoding: "utf8" })) as {
  rows: number[][];
  labels: number[];
};
const onProgress = ({ state, message }: ProgressEvent) => {
  if (state === "done" || state === "skipped") console.log(`  ${message}`);
};

await using clipper = new ClipperConnection(new LocalContainerManager(), { cluster: "pyspark" });
await clipper.start(undefined, { onProgress });
await createEndpoint(
  clipper,
  {
    name: "cancer",
    inputType: "doubles",
    build: `${script}:build`,
    python,
    sample: heldOut.rows[0],
    // A call of Spark's costs about the same for one row as for hundreds; left out, the frontend starts at one and finds its own.
    batchSize: 256,
    spark: { threads: 1, conf: { "spark.driver.memory": "512m" } },
  },
  { onProgress },
);

const startedAt = performance.now();
const answers = await clipper.predict({ app: "cancer", inputs: heldOut.rows });
const seconds = (performance.now() - startedAt) / 1_000;
const right = answers.filter(({ output }, index) => output === heldOut.labels[index]).length;
const percent = ((100 * right) / answers.length).toFixed(1);
console.log(`${answers.length} rows in ${seconds.toFixed(1)} s, ${percent} % of them right`);
if (right < answers.length * 0.9) process.exitCode = 1;
await clipper.stop({ purge: true });
