import { describe, expect, it } from "vitest";
import { statusOf } from "../../packages/query-frontend/src/routes/statuses.ts";
import { DEFAULT_REASONS } from "../../packages/spec/src/query.ts";
import { codesInSources } from "./error-codes.ts";
import { readMarkdown, tablesOf } from "./markdown.ts";

const page = readMarkdown("docs/errors.md");
const rows = tablesOf(page, "code");
const codeOf = ([code = ""]: readonly string[]) => code.replaceAll("`", "");

describe("docs/errors.md", () => {
  it("has each code that a source has, and no other", () => {
    const inSources = codesInSources();
    const documented = new Set(rows.map(codeOf));
    const missing = [...inSources].filter(([code]) => !documented.has(code));
    const invented = [...documented].filter((code) => !inSources.has(code));
    expect({ missing, invented }).toEqual({ missing: [], invented: [] });
  });

  it("has each code once", () => {
    const codes = rows.map(codeOf);
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  it("has the statuses that the query frontend answers with", () => {
    const fromQuery = rows.filter(([, from = ""]) => /\bquery\b(?! frontend)/.test(from));
    expect(fromQuery.length).toBeGreaterThan(20);
    const documented = fromQuery.map((row) => [codeOf(row), Number(row[4])]);
    expect(documented).toEqual(fromQuery.map((row) => [codeOf(row), statusOf(codeOf(row)).status]));
  });

  it("has each reason for a default output", () => {
    expect(tablesOf(page, "`default_reason`").map(codeOf)).toEqual(DEFAULT_REASONS);
  });
});
