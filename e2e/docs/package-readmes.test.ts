import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeBlocks, expectedOutput, markdownFiles, readMarkdown } from "./markdown.ts";
import { ProgramDirectory } from "./program-directory.ts";

const programs = markdownFiles()
  .filter((name) => /^(packages|examples)\/[^/]+\/README\.md$/.test(name))
  .flatMap((name) =>
    codeBlocks(readMarkdown(name), "ts").map((code, index) => ({ name, number: index + 1, code })),
  );

/**
 * Each `ts` block is a whole program, and is run as one. A block that only makes sense inside other code says `typescript`
 * instead, and is not run.
 */
describe("the READMEs of packages and examples", () => {
  let directory: ProgramDirectory;

  beforeEach(async () => {
    directory = await ProgramDirectory.create();
  });

  afterEach(() => directory[Symbol.asyncDispose]());

  it.each(programs)(
    "$name: program $number prints what it says and leaves nothing running",
    async ({ code }) => {
      const printed = await directory.run(code);
      for (const line of expectedOutput(code)) expect(printed).toContain(line);
      await directory.quiet();
    },
  );
});
