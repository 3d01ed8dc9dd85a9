import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";
import { runCommand } from "../run-command.ts";
import type { Check } from "./check.ts";

interface Pattern {
  found: string;
  pattern: RegExp;
}

const patterns: readonly Pattern[] = [
  {
    found: "the host of a package registry: where packages come from is each machine's own setting",
    pattern:
      /registry\.npmjs\.org|registry\.yarnpkg\.com|pypi\.org|files\.pythonhosted\.org|proxy\.golang\.org|repo1?\.maven\.(?:apache\.)?org|deb\.debian\.org/,
  },
  { found: "a path of one person's machine", pattern: /(?<![\w.])\/(?:home|Users)\/[a-z][\w-]*\// },
  {
    found: "a secret",
    pattern:
      /_authToken\s*=\s*["']?[\w-]{8}|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b|\bnpm_[A-Za-z0-9]{36}\b/,
  },
  { found: "a download address in a lock file", pattern: /^\s+(?:resolution: \{.*tarball:|"resolved":)/ },
];

/** What must never get into a commit, looked for in every tracked text file. */
export const checkTrackedFiles: Check = {
  name: "tracked files",
  async run() {
    const { code, output } = await runCommand("git", [
      "ls-files",
      "-z",
      "--cached",
      "--others",
      "--exclude-standard",
    ]);
    if (code !== 0) return [output];
    const paths = output.split("\0").filter((path) => path !== "" && !path.endsWith(".test.ts"));
    return paths.flatMap((path) => problemsIn(path));
  },
};

function problemsIn(path: string): string[] {
  if (path.endsWith(".log")) return [`${path}: is a log, which some program left`];
  let content: Buffer;
  try {
    content = readFileSync(join(repositoryRoot, path));
  } catch {
    return []; // Deleted but still tracked, or a link to a directory.
  }
  if (content.includes(0)) return [];
  return content
    .toString("utf8")
    .split("\n")
    .flatMap((line, index) =>
      [...patterns, ...localPaths]
        .filter(({ pattern }) => pattern.test(line))
        .map(({ found }) => `${path}:${index + 1}: holds ${found}`),
    );
}

/** Where this very clone lies, and the home of who runs the check, unless that is a name that means something in any container. */
const localPaths: readonly Pattern[] = [repositoryRoot, homedir()]
  .filter((path) => path.split("/").length > 2)
  .map((path) => ({
    found: "a path of this machine",
    pattern: new RegExp(`${escaped(path)}(?![\\w-])`),
  }));

function escaped(text: string): string {
  return text.replace(/[^\w/-]/g, "\\$&");
}
