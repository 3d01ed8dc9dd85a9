import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandResult } from "../run-command.ts";
import type { Counts } from "./part.ts";

/**
 * Runs a test runner that leaves its counts as JSON in a file. A runner that fails without a failed test, or leaves
 * no counts behind, counts as one failure: nothing may pass by dying.
 */
export async function readReport(run: (reportPath: string) => Promise<CommandResult>): Promise<Counts> {
  const directory = mkdtempSync(join(tmpdir(), "clipper-report-"));
  try {
    const reportPath = join(directory, "report.json");
    const { code, output } = await run(reportPath);
    if (output !== "") process.stderr.write(output);
    const counts = parseReport(reportPath);
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function parseReport(path: string): Counts {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Counts;
  } catch (error) {
    console.error(`the test runner left no report: ${error}`);
    return { passed: 0, failed: 1, skipped: [] };
  }
}
