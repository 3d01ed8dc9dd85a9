import { join } from "node:path";
import { runCommand } from "../run-command.ts";
import type { Part } from "./part.ts";
import { readReport } from "./report-file.ts";

/** A project of vitest.config.ts. Its counts come from our own small reporter, in a file. */
export function vitestPart(project: string, title: string): Part {
  return {
    name: project,
    title,
    // The unit tests see sources.
    needsBuild: project !== "unit",
    async run({ runnerArguments }) {
      const reporters = [
        "--reporter=default",
        `--reporter=${join(import.meta.dirname, "vitest-reporter.ts")}`,
      ];
      return readReport((reportPath) =>
        runCommand(
          "vitest",
          ["run", "--project", project, "--passWithNoTests", ...reporters, ...runnerArguments],
          { show: true, env: { CLIPPER_TEST_REPORT: reportPath } },
        ),
      );
    },
  };
}
