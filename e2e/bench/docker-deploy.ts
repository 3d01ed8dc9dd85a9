/**
 * Seconds from the start of a deploy on a Docker engine to the first right prediction, and the same over a baseline of the same run: `docker run` of the
 * same base, which imports the same file and calls the function once.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClipperConnection } from "@clipper-serving/core";
import { createEndpoint } from "@clipper-serving/deployer-python";
import { DockerContainerManager } from "@clipper-serving/docker-manager";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";
import { Scratch } from "../support/scratch.ts";

const ROUNDS = 5;
/** What must be reached, seconds. */
const GOALS = { pure: 5, changed: 3 } as const;

const absence = engineAbsence("docker");
if (absence !== undefined) {
  console.log(`left out: ${absence}`);
  process.exit(0);
}
using scratch = new Scratch();
Object.assign(process.env, scratch.env);
const python = await pythonEnvironment();
const { base, pythonMinor } = testImages();
const file = scratch.path("tagged.py");
copyFileSync(join(import.meta.dirname, "..", "models", "tagged.py"), file);

/** What models are called: an engine that has seen this bench before has none of their images. */
const prefix = `bench-${process.pid}`;
await using clipper = new ClipperConnection(new DockerContainerManager(), {
  cluster: prefix,
  home: scratch.path("home"),
});
try {
  await clipper.start({ images: { frontend: base, python: { [pythonMinor]: base } } });
  console.log(
    `deploy to first right prediction, median of ${ROUNDS} rounds; baseline: \`docker run\` that imports the file and calls it`,
  );
  // Sends the layers of runtime and environment, which every later deploy shares.
  const first = await measured("v1", 0);
  console.log(`  first of all         ${first.seconds.toFixed(2)} s`);
  const pure = [];
  for (let round = 1; round <= ROUNDS; round++) pure.push(await measured(`v${round}`, round));
  tell("pure function", pure, GOALS.pure);
  const changed = [];
  for (let round = 1; round <= ROUNDS; round++) {
    writeFileSync(file, readFileSync(file, "utf8").replace("def _tagged", `# change ${round}\ndef _tagged`));
    writeFileSync(file, readFileSync(file, "utf8").replace('"id": int', `"changed": ${round}, "id": int`));
    changed.push(await measured("v1", ROUNDS + round, `${prefix}-0`));
  }
  tell("changed function", changed, GOALS.changed);
} finally {
  // Takes its models' images with it.
  await clipper.stop({ purge: true });
}

interface Measurement {
  readonly seconds: number;
  readonly ratio: number;
}

/** @param name of the model; default: one of its own */
async function measured(
  functionName: string,
  round: number,
  name = `${prefix}-${round}`,
): Promise<Measurement> {
  const baseline = bareSeconds(functionName);
  const startedAt = performance.now();
  await createEndpoint(clipper, {
    name,
    version: `r${round}`,
    inputType: "doubles",
    function: `${file}:${functionName}`,
    sample: [7],
    python,
  });
  const { isDefault } = await clipper.predict({ app: name, input: [7] });
  if (isDefault) throw new Error(`${functionName} answered its default`);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { seconds, ratio: seconds / baseline };
}

function bareSeconds(functionName: string): number {
  const program = `import sys; sys.path.insert(0, "/model"); import tagged; tagged.${functionName}([[7.0]])`;
  const startedAt = performance.now();
  const mount = ["--volume", `${scratch.directory}:/model:ro`, "--network", "none"];
  docker("run", "--rm", ...mount, base, "python3", "-c", program);
  return (performance.now() - startedAt) / 1_000;
}

function docker(...words: string[]): string {
  return execFileSync("docker", words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function tell(title: string, measurements: readonly Measurement[], goal: number): void {
  const seconds = median(measurements.map((measurement) => measurement.seconds));
  const ratio = median(measurements.map((measurement) => measurement.ratio));
  const verdict = seconds <= goal ? "reached" : "MISSED";
  console.log(
    `  ${title.padEnd(20)} ${seconds.toFixed(2)} s (goal ≤ ${goal} s: ${verdict}), ${ratio.toFixed(1)} × the baseline`,
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
