import type { EngineProbe } from "../../e2e/environment/engines.ts";
import type { PartResult, Skip } from "./part.ts";

export interface Summary {
  results: readonly PartResult[];
  engines: readonly EngineProbe[];
  /** One sentence for each engine that had to be there and is not. */
  missing: readonly string[];
}

/** Prints what ran and what did not, ending with the counts. Returns whether nothing failed. */
export function printSummary({ results, engines, missing }: Summary): boolean {
  console.log("\n== summary");
  for (const result of results) console.log(`  ${partLine(result)}`);
  for (const line of skipLines(results.flatMap(({ skipped }) => skipped))) console.log(`  ${line}`);
  for (const { name, absent } of engines) {
    if (absent !== undefined) console.log(`  without ${name}: ${absent}`);
  }
  for (const sentence of missing) console.log(`  FAIL ${sentence}`);

  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, missing.length);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0;
}

export function engineFailures(engines: readonly EngineProbe[], required: readonly string[]): string[] {
  return required.flatMap((name) => {
    const engine = engines.find((candidate) => candidate.name === name);
    if (engine === undefined) return [`CLIPPER_REQUIRE names ${name}, which is no engine`];
    return engine.absent === undefined ? [] : [`${name} is required: ${engine.absent}`];
  });
}

function partLine({ part, passed, failed, skipped, seconds, notRun }: PartResult): string {
  const name = part.name.padEnd(7);
  if (notRun !== undefined) return `${name} not run: ${notRun}`;
  const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  return `${name} ${passed} passed, ${failed} failed${skips} (${seconds.toFixed(1)} s)`;
}

/** One line for each reason; a skip that gives none is named itself. */
function skipLines(skips: readonly Skip[]): string[] {
  const byReason = Map.groupBy(skips, ({ test, reason }) => reason || reasonInName(test));
  return [...byReason].map(([reason, tests]) => `skipped ${tests.length}: ${reason}`);
}

/** A suite says in its name, or in that of a test, why it is left out: `a cluster on Docker (REASON) > starts`. */
function reasonInName(test: string): string {
  return / \(([^()]+)\)(?: > |$)/.exec(test)?.[1] ?? `${test} (no reason given)`;
}
