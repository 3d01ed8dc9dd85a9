import { execFileSync } from "node:child_process";
import { mkdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const LOCK = join(tmpdir(), "clipper-local-manager-build");
const LOCK_TURNS = 600;

/** Supervisors run the built file: makes it what the sources say. Test files that run at once take turns. */
export async function buildPackage(): Promise<void> {
  for (let turn = 0; turn < LOCK_TURNS && !take(); turn += 1) await wait(50);
  try {
    execFileSync(join(PACKAGE, "../../node_modules/.bin/tsc"), ["-b"], { cwd: PACKAGE, stdio: "pipe" });
  } finally {
    rmdirSync(LOCK);
  }
}

function take(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    // Somebody else's turn; one that died in its turn is not waited for longer than a build takes.
    return false;
  }
}
