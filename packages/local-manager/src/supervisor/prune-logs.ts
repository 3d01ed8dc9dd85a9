import { readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { LOG_SUFFIX, logFiles } from "../log-format.js";

/** Logs of ended instances that are kept, the latest of the cluster. */
const KEPT_LOGS = 50;

/** Removes the logs of ended instances beyond the latest, so that a cluster that deploys for years fills no disk. */
export function pruneLogs(directory: string, isKept: (instance: string) => boolean, keep = KEPT_LOGS): void {
  const ended = entries(directory)
    .flatMap((workload) => entries(join(directory, workload)).map((name) => join(directory, workload, name)))
    .filter((path) => path.endsWith(LOG_SUFFIX))
    .filter((path) => !isKept(path.slice(path.lastIndexOf("/") + 1, -LOG_SUFFIX.length)))
    .map((path) => ({ path, lastMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.lastMs - a.lastMs);
  for (const { path } of ended.slice(keep)) for (const file of logFiles(path)) rmSync(file, { force: true });
  for (const workload of entries(directory)) removeIfEmpty(join(directory, workload));
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Some log is kept there, or it is not a directory and not ours.
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Nothing was logged yet, or it is not a directory.
    return [];
  }
}
