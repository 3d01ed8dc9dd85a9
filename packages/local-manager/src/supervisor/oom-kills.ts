import { readFileSync } from "node:fs";

/** @returns how often this machine has killed a process for want of memory, or undefined where it does not tell */
export function countOomKills(): number | undefined {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"))?.[1];
    return count === undefined ? undefined : Number(count);
  } catch {
    // Not Linux.
    return undefined;
  }
}
