import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";
import type { Counts } from "./part.ts";

/** Writes the counts of a run to the file that `CLIPPER_TEST_REPORT` names. */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const path = process.env.CLIPPER_TEST_REPORT;
    if (path === undefined) return;
    const counts: Counts = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) count(module, counts);
    writeFileSync(path, JSON.stringify(counts));
  }
}

function count(module: TestModule, counts: Counts): void {
  // A file that could not be loaded, or a hook that threw outside any test.
  counts.failed += module.errors().length;
  for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === "passed") counts.passed += 1;
    else if (result.state === "failed") counts.failed += 1;
    else if (result.state === "skipped") {
      counts.skipped.push({ test: test.fullName, reason: result.note ?? "" });
    }
  }
}
