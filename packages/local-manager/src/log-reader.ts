import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { LogLine, LogQuery } from "@clipper-serving/spec";
import { LOG_SUFFIX } from "./log-format.js";
import { LogTail } from "./log-tail.js";

/** How often a followed log is looked at, ms. Files are polled: they are few, and a watch misses what a rotation does. */
const FOLLOW_INTERVAL_MS = 50;

/** Reads the files that the supervisor writes, without it: what a cluster said can be read when nothing of it runs any more. */
export async function* readLogs(directory: string, query: LogQuery): AsyncIterable<LogLine> {
  const tails = new Map<string, LogTail>();
  let isFirstLook = true;
  do {
    for (const { workload, instance, path } of await instanceLogs(directory, query)) {
      if (query.signal?.aborted) return;
      const known = tails.get(path);
      const tail = known ?? new LogTail(path);
      tails.set(path, tail);
      // An instance that came later is read from its first line.
      const latest = isFirstLook ? query.tail : undefined;
      for await (const frames of tail.read({ latest, isLast: query.follow !== true })) {
        for (const frame of frames) {
          if (query.signal?.aborted) return;
          yield { workload, instance, ...frame };
        }
      }
    }
    isFirstLook = false;
  } while (query.follow === true && (await pause(query.signal)));
}

interface InstanceLog {
  readonly workload: string;
  readonly instance: string;
  readonly path: string;
}

async function instanceLogs(directory: string, query: LogQuery): Promise<InstanceLog[]> {
  const workloads = query.id === undefined ? await entries(directory) : [query.id];
  const found = await Promise.all(
    workloads.map(async (workload) =>
      (await entries(join(directory, workload)))
        .filter((file) => file.endsWith(LOG_SUFFIX))
        .map((file) => ({
          workload,
          instance: file.slice(0, -LOG_SUFFIX.length),
          path: join(directory, workload, file),
        })),
    ),
  );
  return found.flat().filter(({ instance }) => query.instance === undefined || instance === query.instance);
}

async function entries(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch {
    // Nothing was logged yet, or it was removed.
    return [];
  }
}

/** @returns false once the signal has aborted */
async function pause(signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await wait(FOLLOW_INTERVAL_MS, undefined, { signal });
    return true;
  } catch {
    // Only the signal ends a wait early, and it ends the reading without an error.
    return false;
  }
}
