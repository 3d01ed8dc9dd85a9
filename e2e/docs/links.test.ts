import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../../tools/repository.ts";
import { markdownFiles, readMarkdown, relativeLinks } from "./markdown.ts";

describe("links", () => {
  it.each(markdownFiles())("%s points at what is there", (name) => {
    const missing = relativeLinks(readMarkdown(name))
      .map((target) => target.split("#")[0] ?? "")
      .filter((target) => target !== "" && !existsSync(join(repositoryRoot, dirname(name), target)));
    expect(missing).toEqual([]);
  });
});
