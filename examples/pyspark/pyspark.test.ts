import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { engineAbsence } from "../../e2e/environment/engines.ts";
import { Scratch } from "../../e2e/support/scratch.ts";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";

const absence = engineAbsence("spark");
const here = import.meta.dirname;

it.skipIf(absence !== undefined)(
  `the README's program trains, deploys and is right nine times in ten (${absence ?? "Java is there"})`,
  async () => {
    using scratch = new Scratch();
    const readme = readFileSync(join(here, "README.md"), "utf8");
    const [, shown = "no code"] = /```python\n(.*?)```/s.exec(readme) ?? [];
    expect(readFileSync(join(here, "train.py"), "utf8")).toContain(shown);
    // What the first two of the README's lines make, kept between runs.
    const python = await pythonEnvironment({ requirements: join(here, "requirements.txt") });
    const env = { ...process.env, ...scratch.env, PYTHON: python };
    const { stdout } = await promisify(execFile)(process.execPath, ["cancer.ts"], { cwd: here, env });
    expect(stdout).toMatch(/^171 rows in [\d.]+ s, 9\d\.\d % of them right$/m);
  },
  300_000,
);
