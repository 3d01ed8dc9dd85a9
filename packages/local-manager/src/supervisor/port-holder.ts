import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { parseEnvironment } from "./process-environment.js";

/**
 * @returns who listens on a TCP port of this machine, for people: `workload query of cluster default (pid 12)` or `nginx (pid 12)`;
 * undefined where it cannot be told: not on Linux, or a process of another user
 */
export function portHolder(port: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  const inodes = new Set([...listeners("/proc/net/tcp", port), ...listeners("/proc/net/tcp6", port)]);
  if (inodes.size === 0) return undefined;
  const pid = readdirSync("/proc").find(
    (entry) => /^\d+$/.test(entry) && openSockets(entry).some((inode) => inodes.has(inode)),
  );
  return pid === undefined ? undefined : `${describeProcess(pid)} (pid ${pid})`;
}

function listeners(table: string, port: number): string[] {
  const LISTEN = "0A";
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return (tryRead(table) ?? "")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(wanted) && state === LISTEN)
    .map((fields) => fields[9]!);
}

function openSockets(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((file) => socketInode(`/proc/${pid}/fd/${file}`) ?? []);
  } catch {
    // Another user's process, or one that has just ended.
    return [];
  }
}

function socketInode(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
  } catch {
    // Closed since the directory was read.
    return undefined;
  }
}

function describeProcess(pid: string): string {
  const environment = parseEnvironment(tryRead(`/proc/${pid}/environ`) ?? "");
  const cluster = environment.get("CLIPPER_CLUSTER");
  const workload = environment.get("CLIPPER_WORKLOAD");
  if (cluster && workload) return `workload ${workload} of cluster ${cluster}`;
  return (tryRead(`/proc/${pid}/comm`) ?? "a process").trim();
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not ours to read, or gone.
    return undefined;
  }
}
