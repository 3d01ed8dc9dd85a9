import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../tools/repository.ts";

/** Every tracked Markdown file, relative to the repository. */
export function markdownFiles(): string[] {
  return execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
    cwd: repositoryRoot,
    encoding: "utf8",
  })
    .split("\n")
    .filter((name) => name !== "" && !name.startsWith(".changeset/"));
}

export function readMarkdown(name: string): string {
  return readFileSync(join(repositoryRoot, name), "utf8");
}

/** The fenced code blocks of a language, in order. */
export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, code]) => code ?? "",
  );
}

/** Where a text's links go, without those to other sites. */
export function relativeLinks(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target ?? "")
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** What a program's `console.log(…); // this` lines say they print. */
export function expectedOutput(program: string): string[] {
  return [...program.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)].map(([, printed]) => printed ?? "");
}

/** The rows of the first table whose first column is headed so, as cells without the blanks around them. */
export function tableRows(text: string, head: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => cellsOf(line)[0] === head);
  return start < 0 ? [] : rowsFrom(lines, start);
}

/** The rows of all tables whose first column is headed so. */
export function tablesOf(text: string, head: string): string[][] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => (cellsOf(line)[0] === head ? rowsFrom(lines, index) : []));
}

function rowsFrom(lines: readonly string[], head: number): string[][] {
  const rows = lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end < 0 ? undefined : end).map(cellsOf);
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}
