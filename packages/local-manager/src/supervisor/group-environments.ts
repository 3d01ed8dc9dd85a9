import { readdirSync, readFileSync } from "node:fs";
import { type ProcessEnvironment, parseEnvironment } from "./process-environment.js";

/** Fields of /proc/PID/stat after the command: the group is the third. */
const GROUP_FIELD = 2;

/** @returns with what environment each process of a group was started; none where that cannot be told: not on Linux */
export function groupEnvironments(group: number): ProcessEnvironment[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        if (Number(fields[GROUP_FIELD]) !== group) return [];
        return [parseEnvironment(readFileSync(`/proc/${pid}/environ`, "utf8"))];
      } catch {
        // Ended since the directory was read, or another user's.
        return [];
      }
    });
}
