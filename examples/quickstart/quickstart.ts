/**
 * Starts a cluster of plain processes, puts a trained classifier behind an endpoint and asks it about images it has never seen.
 * PYTHON names an interpreter that has scikit-learn.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ClipperConnection, type ProgressEvent } from "@clipper-serving/core";
import { createEndpoint } from "@clipper-serving/deployer-python";
import { LocalContainerManager } from "@clipper-serving/local-manager";
import { describeLatencies, describeNextSteps } from "./report.ts";

const python = process.env.PYTHON ?? "python3";
const file = join(import.meta.dirname, "digits.py");
const heldOut = JSON.parse(execFileSync(python, [file], { encoding: "utf8" })) as {
  images: number[][];
  labels: number[];
};

const onProgress = ({ state, message }: ProgressEvent) => {
  if (state === "done" || state === "skipped") console.log(`  ${message}`);
};

await using clipper = new ClipperConnection(new LocalContainerManager(), { cluster: "quickstart" });

console.log("starting the cluster");
await clipper.start(undefined, { onProgress });

console.log("deploying the classifier");
const startedAt = performance.now();
await createEndpoint(
  clipper,
  {
    name: "digits",
    inputType: "doubles",
    function: `${file}:predict`,
    python,
    sample: heldOut.images[0],
    defaultOutput: "-1",
    sloMs: 1_000,
  },
  { onProgress },
);
console.log(`  deployed in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);

console.log(`asking about ${heldOut.images.length} images it has not seen`);
let right = 0;
const latencies: number[] = [];
for (const [index, image] of heldOut.images.entries()) {
  const sentAt = performance.now();
  const { output, isDefault } = await clipper.predict({ app: "digits", input: image });
  latencies.push(performance.now() - sentAt);
  if (!isDefault && output === heldOut.labels[index]) right++;
}
console.log(`  one by one:  ${describeLatencies(latencies)}`);

const batchStartedAt = performance.now();
const answers = await clipper.predict({ app: "digits", inputs: heldOut.images });
const batchMs = performance.now() - batchStartedAt;
const rightInBatch = answers.filter(({ output }, index) => output === heldOut.labels[index]).length;
console.log(`  all at once: ${batchMs.toFixed(1)} ms for ${answers.length}`);

const percent = (count: number) => ((100 * count) / heldOut.labels.length).toFixed(1);
console.log(`accuracy: ${percent(right)} % one by one, ${percent(rightInBatch)} % all at once`);
console.log(await describeNextSteps(clipper, heldOut.images[0] ?? []));
if (right !== rightInBatch || right < heldOut.labels.length * 0.9) {
  console.error("that is not what this classifier is known to reach");
  process.exitCode = 1;
}
