import { existsSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { ClusterPaths } from "../cluster-paths.js";
import { UNFINISHED_SUFFIX } from "../json-file.js";

/** Removes what a supervisor leaves no trace of when it ends itself: all but volumes, logs and, while there are those, its own log. */
export function removeTraces(paths: ClusterPaths): void {
  for (const path of [paths.supervisor, paths.supervisor + UNFINISHED_SUFFIX]) rmSync(path, { force: true });
  rmSync(paths.runtime, { recursive: true, force: true });
  removeIfEmpty(paths.runtimeRoot);
  removeIfEmpty(paths.workloads);
  removeIfEmpty(paths.volumes);
  const isKept = [paths.workloads, paths.volumes, paths.logs].some(existsSync);
  if (!isKept) rmSync(paths.supervisorLog, { force: true });
  // Last, because the next supervisor may start as soon as it is gone.
  rmSync(paths.lock, { force: true });
  removeIfEmpty(paths.directory);
  removeIfEmpty(dirname(paths.directory));
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Something else is kept there, or it is gone already.
  }
}
