import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";

/** Whether nobody of this machine listens there now, as far as this process can tell. */
export function isFree(port: number, address: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  // All else is between this process and the machine: it may not listen on low ports, or has no such address. The engine may.
  server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
  server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

/**
 * @returns which process of this machine listens on a TCP port, for people: `nginx (pid 12)`; undefined where it cannot be told: not on Linux,
 * or a process of another user
 */
export function portHolder(port: number): string | undefined {
  const inodes = new Set([...listeners("/proc/net/tcp", port), ...listeners("/proc/net/tcp6", port)]);
  if (inodes.size === 0) return undefined;
  const pid = readdirSync("/proc").find(
    (entry) => /^\d+$/.test(entry) && socketsOf(entry).some((inode) => inodes.has(inode)),
  );
  if (pid === undefined) return undefined;
  return `${(tryRead(`/proc/${pid}/comm`) ?? "a process").trim()} (pid ${pid})`;
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

function socketsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((file) => {
      const inode = /^socket:\[(\d+)\]$/.exec(tryReadLink(`/proc/${pid}/fd/${file}`) ?? "")?.[1];
      return inode === undefined ? [] : [inode];
    });
  } catch {
    // Another user's process, or one that has just ended.
    return [];
  }
}

function tryReadLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since the directory was read.
    return undefined;
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not Linux, not ours to read, or gone.
    return undefined;
  }
}
