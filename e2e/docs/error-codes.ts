import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../tools/repository.ts";

/** The places of a source where codes stand; the quoted words of the first group are codes. */
const TYPESCRIPT = [
  // { code: "X" }, { code: late ? "X" : "Y" }, code: "X" | "Y"; not `code === "X"`
  /\bcode\??\s*(?::|=(?![=>]))([^,;{}]+)/g,
  // type ImageErrorCode = | "X" | "Y";
  /\btype \w*Code\s*=([^;]+);/g,
  // new RequestError("X", …)
  /\bnew \w+Error\(\s*("[A-Z0-9_]+")/g,
  // const X = "X";
  /\bconst (([A-Z0-9_]+) = "\2");/g,
  // const CODE_WITHOUT_REPORT = { capture: "X" }
  /\bconst CODE_\w+\s*=\s*\{([^}]+)\}/g,
];
const PYTHON = [
  /\bFailure\(\s*("[A-Z0-9_]+")/g,
  /"code":\s*("[A-Z0-9_]+")/g,
  /\b_EXIT_STATUS = \{([^}]+)\}/g,
];

/** Every stable code of an error that a package's sources hold, with a file that holds it. */
export function codesInSources(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of sources()) {
    const text = readFileSync(join(repositoryRoot, file), "utf8");
    for (const pattern of file.endsWith(".py") ? PYTHON : TYPESCRIPT) {
      for (const [, part = ""] of text.matchAll(pattern)) {
        for (const [, code = ""] of part.matchAll(/"([A-Z][A-Z0-9_]+)"/g)) found.set(code, file);
      }
    }
  }
  return found;
}

/** What is tracked: code that is still being written owes no page yet. */
function sources(): string[] {
  const patterns = ["packages/*/src/*.ts", "packages/*/python/clipper_runtime/*.py"];
  const listed = execFileSync("git", ["ls-files", ...patterns], {
    cwd: repositoryRoot,
    encoding: "utf8",
  });
  return listed
    .split("\n")
    .filter((file) => file !== "" && !/\.test\.ts$|\/test-support\//.test(file))
    .filter((file) => existsSync(join(repositoryRoot, file)));
}
