import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** What a write that did not come to its end leaves beside a file; the next one goes over it. */
export const UNFINISHED_SUFFIX = ".new";

/** Replaces the file in one step, so that whoever reads it sees the old content or the new. One process at a time writes a file. */
export function writeJsonFile(path: string, value: unknown): void {
  const aside = path + UNFINISHED_SUFFIX;
  writeFileSync(aside, JSON.stringify(value), { mode: 0o600 });
  renameSync(aside, path);
}

/** @returns what the file holds, or undefined when it is not there or not JSON */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // Absent, or damaged by something other than us: both mean that nothing is known.
    return undefined;
  }
}
