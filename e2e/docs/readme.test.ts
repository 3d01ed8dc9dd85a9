import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clipperScript } from "../support/clipper-command.ts";
import { codeBlocks, readMarkdown } from "./markdown.ts";
import { ProgramDirectory } from "./program-directory.ts";

/** What the README shows is typed here word for word. */
describe("README.md", () => {
  const readme = readMarkdown("README.md");
  let directory: ProgramDirectory;

  beforeEach(async () => {
    directory = await ProgramDirectory.create();
  });

  afterEach(() => directory[Symbol.asyncDispose]());

  it("its lines of TypeScript start a cluster, create an endpoint and predict", async () => {
    const [code = ""] = codeBlocks(readme, "ts");
    const statements = code.split("\n").filter((line) => line !== "" && !line.startsWith("import"));
    expect(statements.length).toBeLessThanOrEqual(10);
    expect(await directory.run(code)).toBe("6.5 false\n");
    await directory.quiet();
  });

  it("its shell lines do the same", async () => {
    const [, shell = ""] = codeBlocks(readme, "sh");
    const lines = shell.trim().split("\n");
    expect(lines.length).toBe(4);
    const outputs: string[] = [];
    for (const line of lines) {
      outputs.push(
        await directory.shell(line.replace("npx clipper", `"${process.execPath}" "${clipperScript}"`)),
      );
    }
    expect(JSON.parse(outputs[2] ?? "")).toMatchObject({ output: 6.5, default: false });
    await directory.quiet();
  });
});
