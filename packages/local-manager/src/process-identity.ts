import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process as it can be told from any later one that is given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own terms: only equality means something. */
  readonly startTime: string;
}

/** @returns the identity of the process that has this number now, or undefined when there is none or it has ended */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === "linux" ? linuxStartTime(pid) : portableStartTime(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return processIdentity(identity.pid)?.startTime === identity.startTime;
}

/**
 * Sends a signal to exactly this process, or to the group that it leads.
 * @returns whether it was there to be sent one
 */
export function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  to: "process" | "group",
): boolean {
  return isAlive(identity) && send(to === "group" ? -identity.pid : identity.pid, signal);
}

/**
 * Ends what a group leader left behind. A number is not given away again while a group bears it, so with no process of that
 * number alive the group is still the leader's.
 */
export function killGroupOfEnded(pid: number): void {
  if (processIdentity(pid) === undefined) send(-pid, "SIGKILL");
}

function send(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Ended between the look and the signal; or a group of which nothing is left.
    if (code === "ESRCH") return false;
    // The only members left are not ours to end: a program that changed its user.
    if (code === "EPERM") return false;
    throw error;
  }
}

/** Fields of /proc/PID/stat after the command, which may itself hold spaces and parentheses: state is the first, start time the 20th. */
function linuxStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    // Ticks since boot: two boots may give the same.
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
    return `${boot}:${fields[19]}`;
  } catch {
    // No such process.
    return undefined;
  }
}

function portableStartTime(pid: number): string | undefined {
  try {
    const text = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: "pipe",
    });
    const [state = "", ...start] = text.trim().split(/\s+/);
    return state.startsWith("Z") || start.length === 0 ? undefined : start.join(" ");
  } catch {
    // `ps` ends with 1 when there is no such process.
    return undefined;
  }
}
