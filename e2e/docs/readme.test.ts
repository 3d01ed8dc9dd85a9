import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clipperScript } from "../support/clipper-command.ts";
import { Scratch } from "../support/scratch.ts";
import { codeBlocks, readMarkdown } from "./markdown.ts";

const run = promisify(execFile);

/** What the README shows is typed here word for word. */
describe("README.md", () => {
  const readme = readMarkdown("README.md");
  let scratch: Scratch;
  let program: string;

  beforeEach(async () => {
    scratch = new Scratch();
    // Inside the repository, so that the packages are found by name.
    program = await mkdtemp(join(import.meta.dirname, ".readme-"));
    await writeFile(join(program, "total.py"), codeBlocks(readme, "python")[0] ?? "");
  });

  afterEach(async () => {
    await rm(program, { recursive: true, force: true });
    scratch[Symbol.dispose]();
  });

  const options = () => ({ cwd: program, env: { ...process.env, ...scratch.env } });

  it("its lines of TypeScript start a cluster, create an endpoint and predict", async () => {
    const [code = ""] = codeBlocks(readme, "ts");
    const statements = code.split("\n").filter((line) => line !== "" && !line.startsWith("import"));
    expect(statements.length).toBeLessThanOrEqual(10);
    await writeFile(join(program, "ten-lines.ts"), code);
    const { stdout } = await run(process.execPath, ["ten-lines.ts"], options());
    expect(stdout).toBe("6.5 false\n");
  });

  it("its shell lines do the same", async () => {
    const [, shell = ""] = codeBlocks(readme, "sh");
    const lines = shell.trim().split("\n");
    expect(lines.length).toBe(4);
    const outputs: string[] = [];
    for (const line of lines) {
      const { stdout } = await run(
        "sh",
        ["-c", line.replace("npx clipper", `"${process.execPath}" "${clipperScript}"`)],
        options(),
      );
      outputs.push(stdout);
    }
    expect(JSON.parse(outputs[2] ?? "")).toMatchObject({ output: 6.5, default: false });
  });
});
