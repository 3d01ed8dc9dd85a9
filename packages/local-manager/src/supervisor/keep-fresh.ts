import { lutimesSync, readdirSync } from "node:fs";
import { join } from "node:path";

const HOUR_MS = 60 * 60 * 1_000;

/** Directories for temporary files are cleaned of what nobody has touched for days; a cluster lives longer. */
export function keepFresh(directory: string): () => void {
  const timer = setInterval(() => touch(directory), HOUR_MS);
  return () => clearInterval(timer);
}

function touch(directory: string): void {
  const now = new Date();
  lutimesSync(directory, now, now);
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    try {
      lutimesSync(join(entry.parentPath, entry.name), now, now);
    } catch (error) {
      // Removed since the directory was read.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}
