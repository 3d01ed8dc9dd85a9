import { existsSync } from "node:fs";
import { join } from "node:path";
import { pythonEnvironment } from "../python/python-environment.ts";
import { repositoryRoot } from "../repository.ts";
import { runCommand } from "../run-command.ts";
import type { Part } from "./part.ts";
import { readReport } from "./report-file.ts";

const sources = join(repositoryRoot, "packages/container-runtime/python");

/** The unit tests of what runs in a replica, with nothing but the standard library's runner. */
export const pythonPart: Part = {
  name: "python",
  title: "unit tests of the Python runtime",
  needsBuild: false,
  async run() {
    if (!existsSync(join(sources, "tests"))) return { passed: 0, failed: 0, skipped: [] };
    const python = await pythonEnvironment();
    return readReport((reportPath) =>
      runCommand(
        python,
        [join(import.meta.dirname, "run_python_tests.py"), "--report", reportPath, join(sources, "tests")],
        { cwd: sources, show: true, env: { PYTHONPATH: sources, PYTHONDONTWRITEBYTECODE: "1" } },
      ),
    );
  },
};
