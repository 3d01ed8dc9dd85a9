/**
 * Seconds from the start of a deploy to the first right prediction, and the same over a baseline of the same run: a bare interpreter that imports
 * the same file and calls the function once.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ClipperConnection } from "@clipper-serving/core";
import { createEndpoint } from "@clipper-serving/deployer-python";
import { LocalContainerManager } from "@clipper-serving/local-manager";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";
import { repositoryRoot } from "../../tools/repository.ts";
import { Scratch } from "../support/scratch.ts";

interface Case {
  readonly title: string;
  readonly directory: string;
  readonly file: string;
  readonly input: readonly number[];
  /** What must be reached, seconds. */
  readonly goal: number;
}

const CASES: readonly Case[] = [
  {
    title: "pure function",
    directory: join(repositoryRoot, "e2e", "models"),
    file: "tagged.py:v1",
    input: [7],
    goal: 3,
  },
  {
    title: "scikit-learn, warm",
    directory: join(repositoryRoot, "examples", "quickstart"),
    file: "digits.py:predict",
    input: Array.from({ length: 64 }, () => 0),
    goal: 5,
  },
];
const ROUNDS = 5;

using scratch = new Scratch();
Object.assign(process.env, scratch.env);
const python = await pythonEnvironment();
await using clipper = new ClipperConnection(new LocalContainerManager(), {
  cluster: "bench",
  home: scratch.path("home"),
});
await clipper.start();
try {
  console.log(
    "deploy to first right prediction, median of",
    ROUNDS,
    "rounds; baseline: import and one call in a bare interpreter",
  );
  for (const [index, benchCase] of CASES.entries()) {
    // The first deploy installs the environment that the measured ones share.
    await deploy(benchCase, `case-${index}`, 0);
    const seconds: number[] = [];
    const ratios: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const baseline = bareSeconds(benchCase);
      const taken = await deploy(benchCase, `case-${index}`, round);
      seconds.push(taken);
      ratios.push(taken / baseline);
    }
    const verdict = median(seconds) <= benchCase.goal ? "reached" : "MISSED";
    console.log(
      `  ${benchCase.title.padEnd(20)} ${median(seconds).toFixed(2)} s (goal ≤ ${benchCase.goal} s: ${verdict}), ${median(ratios).toFixed(1)} × the baseline`,
    );
  }
} finally {
  await clipper.stop({ purge: true });
}

async function deploy({ directory, file, input }: Case, name: string, round: number): Promise<number> {
  const startedAt = performance.now();
  await createEndpoint(clipper, {
    name,
    version: `r${round}`,
    inputType: "doubles",
    function: join(directory, file),
    sample: input,
    python,
  });
  const { isDefault } = await clipper.predict({ app: name, input });
  if (isDefault) throw new Error(`${file} answered its default`);
  return (performance.now() - startedAt) / 1_000;
}

function bareSeconds({ directory, file, input }: Case): number {
  const [module, name] = file.replace(".py", "").split(":");
  const startedAt = performance.now();
  execFileSync(python, ["-c", `import ${module}; ${module}.${name}([${JSON.stringify(input)}])`], {
    cwd: directory,
  });
  return (performance.now() - startedAt) / 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
