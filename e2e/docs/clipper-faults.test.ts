import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../../tools/repository.ts";
import { readMarkdown, tablesOf } from "./markdown.ts";

const PAGE = "docs/decisions/clipper-faults.md";
const page = readMarkdown(PAGE);
const rows = tablesOf(page, "#");
const pathOf = (name: string) => join(repositoryRoot, name.startsWith("e2e/") ? "" : "packages", name);

describe(PAGE, () => {
  it("decides on each of Clipper's 51 faults of the admin library and 19 of the serving side", () => {
    const numbered = (letter: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
    expect(rows.map(([number]) => number)).toEqual([...numbered("A", 51), ...numbered("S", 19)]);
  });

  it("says where, of everything that is done", () => {
    const nowhere = rows.filter(([, , , state = "", where]) => /done|changed/.test(state) && where === "");
    expect(nowhere).toEqual([]);
  });

  it("names files and tests that are there", () => {
    const cells = [...rows, ...tablesOf(page, "Clipper")].map((row) => row.at(-1) ?? "");
    const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`(?:: "([^"]+)")?/g)]);
    const missing = named.filter(([, file = "", test]) => {
      if (!existsSync(pathOf(file))) return true;
      return test !== undefined && !readFileSync(pathOf(file), "utf8").includes(test);
    });
    expect(named.length).toBeGreaterThan(80);
    expect(missing.map(([text]) => text)).toEqual([]);
  });
});
