import { readdirSync, readFileSync } from "node:fs";

export interface ProcessEntry {
  readonly pid: number;
  readonly commandLine: string;
  readonly environment: string;
}

/**
 * The live processes whose environment or command line speaks of `directory`: all that belongs to a test's cluster.
 * Reads /proc; elsewhere it finds nothing.
 */
export function processesOf(directory: string): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const commandLine = read(`/proc/${name}/cmdline`);
    const environment = read(`/proc/${name}/environ`);
    // A zombie has neither; it is over, and waits for its parent to notice.
    if (commandLine.includes(directory) || environment.includes(directory)) {
      found.push({ pid: Number(name), commandLine: commandLine.replaceAll("\0", " "), environment });
    }
  }
  return found;
}

/** The one process of a workload, told by its environment. @throws when it is not exactly one */
export function processOf(directory: string, workload: string): number {
  const matches = processesOf(directory).filter(({ environment }) =>
    environment.split("\0").includes(`CLIPPER_WORKLOAD=${workload}`),
  );
  const [match] = matches;
  if (match === undefined || matches.length > 1) {
    throw new Error(
      `${matches.length} processes of ${workload}: ${JSON.stringify(matches.map(({ commandLine }) => commandLine))}`,
    );
  }
  return match.pid;
}

export function processOfInstance(directory: string, instance: string): number {
  const match = processesOf(directory).find(({ environment }) =>
    environment.split("\0").includes(`CLIPPER_INSTANCE=${instance}`),
  );
  if (match === undefined) throw new Error(`no process of instance ${instance}`);
  return match.pid;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Gone meanwhile, or not ours to read.
    return "";
  }
}
