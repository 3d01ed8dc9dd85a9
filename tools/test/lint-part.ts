import { allChecks } from "../lint/all-checks.ts";
import { runChecks } from "../lint/run-checks.ts";
import type { Part } from "./part.ts";

/** Each check counts as one test. */
export const lintPart: Part = {
  name: "lint",
  title: "format, types, layers, banned calls, dead code, manifests",
  needsBuild: false,
  async run() {
    const failed = await runChecks(allChecks);
    return { passed: allChecks.length - failed, failed, skipped: [] };
  },
};
