import { createHash, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";

/** Of an owner on another machine, or in another container, which cannot be asked after: how long until what it has not touched counts as left, ms. */
const FOREIGN_AGE_MS = 7 * 24 * 3_600_000;
const OWNED = /\.([0-9a-f]{8})\.(\d+)\.(\d+)\.[0-9a-f]{12}$/;

/**
 * Names a file or directory that belongs to this process: whoever finds it later can tell whether its owner is gone. With the time the process was started,
 * because numbers of processes are used again.
 */
export async function ownedName(prefix: string): Promise<string> {
  const startedAt = (await startOf(process.pid)) ?? "0";
  return `${prefix}.${thisHost()}.${process.pid}.${startedAt}.${randomBytes(6).toString("hex")}`;
}

/** Whether a file or directory belongs to a process that has ended; false of one that belongs to nobody. */
export async function isForsaken(file: string): Promise<boolean> {
  const [, host, pid, startedAt] = OWNED.exec(path.basename(file)) ?? [];
  if (host === undefined || pid === undefined) return false;
  if (host !== thisHost()) {
    const touchedAtMs = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    return Date.now() - touchedAtMs > FOREIGN_AGE_MS;
  }
  if (!isAlive(Number(pid))) return true;
  const started = await startOf(Number(pid));
  return started !== undefined && startedAt !== "0" && started !== startedAt;
}

function thisHost(): string {
  return createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is alive too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** @returns ticks from the machine's start to the process's; undefined where the platform does not tell */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name, which may hold anything.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
