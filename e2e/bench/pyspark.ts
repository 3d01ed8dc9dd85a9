/**
 * Rows a second that one replica of a PySpark model answers within its objective, none by default: with batches found by the frontend, over batches of one.
 * A call of Spark's costs about the same for one row as for hundreds.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ClipperConnection } from "@clipper-serving/core";
import { createEndpoint } from "@clipper-serving/deployer-pyspark";
import { LocalContainerManager } from "@clipper-serving/local-manager";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";
import { repositoryRoot } from "../../tools/repository.ts";
import { engineAbsence } from "../environment/engines.ts";
import { type ExpectedRow, startRowLoad } from "../support/row-load.ts";
import { Scratch } from "../support/scratch.ts";

const ROUNDS = 3;
const ROUND_MS = 8_000;
const MODEL = join(repositoryRoot, "e2e", "models", "pyspark_cancer.py");
const GOAL = 10;

const absence = engineAbsence("spark");
if (absence === undefined) await measure();
else console.log(`  left out: ${absence}`);

async function measure(): Promise<void> {
  using scratch = new Scratch();
  const kept = scratch.path("kept");
  mkdirSync(kept);
  Object.assign(process.env, scratch.env, { CLIPPER_E2E_KEPT: kept });
  const python = await pythonEnvironment({
    requirements: join(repositoryRoot, "examples", "pyspark", "requirements.txt"),
  });
  await using clipper = new ClipperConnection(new LocalContainerManager(), {
    cluster: "bench",
    home: scratch.path("home"),
  });
  await clipper.start();
  try {
    const model = { inputType: "doubles", python, sample: Array.from({ length: 31 }, () => 0), sloMs: 3_000 };
    await createEndpoint(clipper, { ...model, name: "adaptive", build: `${MODEL}:build` });
    await createEndpoint(clipper, {
      ...{ ...model, name: "single", modelPath: join(kept, "model"), function: `${MODEL}:v1` },
      batchSize: 1,
    });
    const rows = JSON.parse(readFileSync(join(kept, "expected.json"), "utf8")) as ExpectedRow[];
    const { url } = clipper.endpoints.query;
    const rate = async (app: string, most: number) => {
      const load = startRowLoad({ url, app, rows, window: { first: 2, most } });
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
      const { sent, seconds, defaults, failed, wrong } = await load.stop();
      const bad = defaults.length + failed.length + wrong.length;
      if (bad > 0) console.log(`  ${app}: ${bad} of ${sent} were not answered by the model`);
      return (sent - bad) / seconds;
    };
    // The first round finds the batch size; it is not counted.
    await rate("adaptive", 256);
    const pairs: { adaptive: number; single: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      pairs.push({ single: await rate("single", 2), adaptive: await rate("adaptive", 256) });
    }
    const ratio = median(pairs.map(({ adaptive, single }) => adaptive / single));
    console.log(
      `  rows/s of one replica, median of ${ROUNDS} rounds: ${median(pairs.map(({ adaptive }) => adaptive)).toFixed(0)} with batches found, ` +
        `${median(pairs.map(({ single }) => single)).toFixed(1)} with batches of 1: ${ratio.toFixed(0)} × (goal ≥ ${GOAL} ×: ${ratio >= GOAL ? "reached" : "MISSED"})`,
    );
  } finally {
    await clipper.stop({ purge: true });
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
