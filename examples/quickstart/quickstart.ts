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
// Without the prediction cache, so that every run asks the model itself.
await clipper.start({ cacheBytes: 0 }, { onProgress });

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

const half = heldOut.images.length / 2;
console.log(`asking about ${heldOut.images.length} images it has not seen`);
const outputs: unknown[] = [];
const latencies: number[] = [];
for (const image of heldOut.images.slice(0, half)) {
  const sentAt = performance.now();
  const { output } = await clipper.predict({ app: "digits", input: image });
  latencies.push(performance.now() - sentAt);
  outputs.push(output);
}
console.log(`  ${half} one by one:  ${describeLatencies(latencies)}`);

const sentAt = performance.now();
const answers = await clipper.predict({ app: "digits", inputs: heldOut.images.slice(half) });
console.log(`  ${answers.length} all at once: ${(performance.now() - sentAt).toFixed(1)} ms`);
outputs.push(...answers.map(({ output }) => output));

const right = outputs.filter((output, index) => output === heldOut.labels[index]).length;
console.log(`accuracy: ${((100 * right) / heldOut.labels.length).toFixed(1)} %`);
console.log(await describeNextSteps(clipper, heldOut.images[0] ?? []));
if (right < heldOut.labels.length * 0.9) {
  console.error("that is not what this classifier is known to reach");
  process.exitCode = 1;
}
