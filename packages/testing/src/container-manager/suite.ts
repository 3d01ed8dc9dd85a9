import { InvalidArgumentError } from "@clipper-serving/spec";
import { abortTests } from "./abort-tests.js";
import { capabilityTests } from "./capability-tests.js";
import { changeTests } from "./change-tests.js";
import { clusterTests } from "./cluster-tests.js";
import { environmentTests } from "./environment-tests.js";
import { lifecycleTests } from "./lifecycle-tests.js";
import { logTests } from "./log-tests.js";
import { reachTests } from "./reach-tests.js";
import { restartTests } from "./restart-tests.js";
import { specTests } from "./spec-tests.js";
import type { ContainerManagerSuiteOptions } from "./suite-options.js";
import { Trial } from "./trial.js";
import { volumeTests } from "./volume-tests.js";

const DEFAULT_PATIENCE_MS = 15_000;
const GROUPS = {
  "the life of a workload": lifecycleTests,
  "a changed workload": changeTests,
  "what exits": restartTests,
  "what an instance is told": environmentTests,
  "reaching instances": reachTests,
  logs: logTests,
  volumes: volumeTests,
  "clusters side by side": clusterTests,
  "calls that are called off": abortTests,
  "specs that cannot be right": specTests,
  capabilities: capabilityTests,
};

/** Defines one test of a group. */
export type DefineTest = (name: string, body: (trial: Trial) => Promise<void>) => void;

/**
 * What every `ContainerManager` does, whatever its platform: the second half of the interface, as tests. They look at behaviour only.
 * Each test has clusters of its own and leaves nothing.
 */
export function containerManagerSuite(options: ContainerManagerSuiteOptions): void {
  const { runner, patienceMs = DEFAULT_PATIENCE_MS } = options;
  const reasons = new Map(
    (options.skip ?? []).flatMap(({ reason, tests }) => tests.map((test) => [test, reason] as const)),
  );
  checkSkips(reasons);
  const timeoutMs = 6 * patienceMs;
  const open = new Set<Trial>();

  runner.describe(`container manager: ${options.name}`, () => {
    for (const [title, group] of Object.entries(GROUPS)) {
      runner.describe(title, () =>
        group((name, body) => {
          const run = (): Promise<void> => runTrial(options, patienceMs, open, body);
          const reason = reasons.get(name);
          if (reason === undefined) runner.it(name, run, timeoutMs);
          else runner.it.skip(`${name} (${reason})`, run, timeoutMs);
        }),
      );
    }
    // A test that the runner gave up on may still be going on.
    runner.afterAll(async () => void (await Promise.all([...open].map((trial) => trial.end()))), timeoutMs);
  });
}

/** A skip of a test that was renamed would hide nothing and explain nothing. */
function checkSkips(reasons: ReadonlyMap<string, string>): void {
  const names = new Set<string>();
  for (const group of Object.values(GROUPS)) group((name) => names.add(name));
  for (const value of reasons.keys()) {
    if (names.has(value)) continue;
    throw new InvalidArgumentError({ argument: "skip", value, expected: "the name of a test of the suite" });
  }
}

async function runTrial(
  options: ContainerManagerSuiteOptions,
  patienceMs: number,
  open: Set<Trial>,
  body: (trial: Trial) => Promise<void>,
): Promise<void> {
  const trial = new Trial(await options.factory(), { ...options, patienceMs });
  open.add(trial);
  try {
    await body(trial);
  } finally {
    await trial.end();
    open.delete(trial);
  }
}
