import type { Check } from "./check.ts";

/** Runs the checks side by side and prints a line for each. Returns how many failed. */
export async function runChecks(checks: readonly Check[]): Promise<number> {
  const outcomes = await Promise.all(checks.map((check) => runCheck(check)));
  return outcomes.filter((passed) => !passed).length;
}

async function runCheck({ name, run }: Check): Promise<boolean> {
  const startMs = performance.now();
  const problems = await run();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const passed = problems.length === 0;
  console.log(`  ${passed ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  for (const problem of problems) console.log(problem.replace(/^/gm, "       "));
  return passed;
}
