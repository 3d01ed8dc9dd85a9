import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "python-tests-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const header = "import os, unittest\n\nclass Case(unittest.TestCase):\n";

function run(modules: Record<string, string>): { code: number; output: string; report: unknown } {
  for (const [name, tests] of Object.entries(modules)) {
    const path = join(directory, "tests", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, header + tests);
  }
  const report = join(directory, "report.json");
  const script = join(import.meta.dirname, "run_python_tests.py");
  let code = 0;
  let output: string;
  try {
    output = execFileSync("python3", [script, "--report", report, join(directory, "tests")], {
      encoding: "utf8",
      stdio: "pipe",
    });
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    [code, output] = [status, stdout];
  }
  return { code, output, report: JSON.parse(readFileSync(report, "utf8")) };
}

const passes = "  def test_passes(self): pass\n";

it("adds up what all modules counted, those in packages below included", () => {
  const skipped = '  @unittest.skip("no such interpreter")\n  def test_skipped(self): pass\n';
  const { code, report } = run({
    "test_one.py": passes,
    "test_two.py": passes + skipped,
    "below/__init__.py": "  pass\n",
    "below/test_three.py": passes,
  });
  const reason = "no such interpreter";
  expect(report).toEqual({ passed: 3, failed: 0, skipped: [{ test: "test_two.Case.test_skipped", reason }] });
  expect(code).toBe(0);
});

it("counts a failed test, and shows what it said", () => {
  const { code, output, report } = run({
    "test_one.py": passes,
    "test_two.py": '  def test_fails(self): self.fail("told to")\n',
  });
  expect(report).toMatchObject({ passed: 1, failed: 1 });
  expect(output).toMatch(/-- test_two\.py\n[\s\S]*told to/);
  expect(code).toBe(1);
});

it("counts a module that cannot be imported, and one that dies, as a failure", () => {
  const { code, output, report } = run({
    "test_dies.py": "  def test_dies(self): os._exit(0)\n",
    "test_broken.py": "  import no_such_module\n",
    "test_passes.py": passes,
  });
  expect(report).toMatchObject({ passed: 1, failed: 2 });
  expect(output).toContain("ended with 0 and left no counts");
  expect(code).toBe(1);
});
