import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";
import { bannedUses } from "./banned-uses.ts";
import type { Check } from "./check.ts";
import { lineOf, sourceFiles } from "./source-files.ts";

/** Run on a manual clock in a simulation: time, chance and waiting are given to this code, never taken. */
const deterministicDirectories = ["packages/serving/src", "packages/control/src", "packages/rpc/src/codec"];

/** A pickle runs whatever its author put in, so that only what runs in a replica may read one. */
const unpickling = /\bpickle\s*\.\s*loads?\b|\bUnpickler\b|from\s+(?:cloud)?pickle\s+import\s+.*\bloads?\b/;

export const checkBannedCalls: Check = {
  name: "banned calls",
  run: async () => [...typescriptProblems(repositoryRoot), ...pythonProblems(repositoryRoot)],
};

function typescriptProblems(root: string): string[] {
  return sourceFiles(root, "packages/*/src").flatMap(({ path, isTest, parsed }) => {
    if (isTest) return [];
    const deterministic = deterministicDirectories.some((directory) => path.startsWith(`${directory}/`));
    const text = readFileSync(join(root, path), "utf8");
    return bannedUses(parsed, { deterministic }).map(
      ({ offset, reason }) => `${path}:${lineOf(text, offset)}: ${reason}`,
    );
  });
}

function pythonProblems(root: string): string[] {
  return globSync("packages/**/*.py", { cwd: root, exclude: ["**/node_modules/**"] })
    .filter((path) => !path.startsWith("packages/container-runtime/"))
    .flatMap((path) =>
      readFileSync(join(root, path), "utf8")
        .split("\n")
        .flatMap((line, index) =>
          unpickling.test(line) ? [`${path}:${index + 1}: unpickles outside container-runtime`] : [],
        ),
    );
}
