import { setTimeout as wait } from "node:timers/promises";
import type { LogLine, LogQuery } from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { isAbsent } from "../engine/engine-error.js";
import { type InstanceContainer, viewCluster } from "../workload/cluster-view.js";
import { containerLog } from "./container-log.js";
import { LineQueue } from "./line-queue.js";

/** How often a followed log looks for containers that have come, or run again, ms. */
const LOOK_INTERVAL_MS = 200;

interface Source {
  readonly workload: string;
  readonly container: InstanceContainer;
}

/** Lines of a cluster's containers, as long as the engine has those. */
export async function* clusterLogs(
  engine: Engine,
  cluster: string,
  query: LogQuery,
): AsyncGenerator<LogLine> {
  if (query.follow === true) {
    yield* followLogs(engine, cluster, query);
    return;
  }
  if (query.tail === 0) return;
  for (const source of await sources(engine, cluster, query)) {
    yield* sourceLines(engine, source, { follow: false, tail: query.tail, signal: query.signal });
  }
}

/** Reads all containers at once; the engine ends a log with each run, so that one that runs again is taken up after the last line known. */
async function* followLogs(engine: Engine, cluster: string, query: LogQuery): AsyncGenerator<LogLine> {
  const stop = new AbortController();
  const signal = query.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, query.signal]);
  const lines = new LineQueue(signal);
  const open = new Set<string>();
  const lastTimes = new Map<string, string>();
  let isFirstLook = true;

  const read = async (source: Source, tail: number | undefined): Promise<void> => {
    const { id } = source.container;
    const options = { follow: true, tail, after: lastTimes.get(id), signal };
    for await (const { time, ...line } of timedLines(engine, source, options)) {
      if (time !== undefined) lastTimes.set(id, time);
      await lines.put(line);
    }
  };
  const look = async (): Promise<void> => {
    while (!signal.aborted) {
      for (const source of await sources(engine, cluster, query)) {
        const { id, inspected } = source.container;
        const isOver = lastTimes.has(id) && inspected.State.Status !== "running";
        if (open.has(id) || isOver) continue;
        open.add(id);
        void read(source, isFirstLook ? query.tail : undefined)
          .catch((error: unknown) => lines.fail(error))
          .finally(() => open.delete(id));
      }
      isFirstLook = false;
      await wait(LOOK_INTERVAL_MS, undefined, { signal });
    }
  };
  look().catch((error: unknown) => lines.fail(error));
  try {
    yield* lines.take();
  } finally {
    stop.abort();
  }
}

async function* sourceLines(
  engine: Engine,
  source: Source,
  options: Parameters<typeof containerLog>[2],
): AsyncGenerator<LogLine> {
  for await (const { time: _time, ...line } of timedLines(engine, source, options)) yield line;
}

async function* timedLines(
  engine: Engine,
  { workload, container }: Source,
  options: Parameters<typeof containerLog>[2],
): AsyncGenerator<LogLine & { readonly time?: string }> {
  try {
    for await (const line of containerLog(engine, container.inspected, options)) {
      yield { workload, instance: container.instance, ...line };
    }
  } catch (error) {
    if (options.signal?.aborted === true) return;
    // Removed while it was read: its lines went with it.
    if (!isAbsent(error)) throw error;
  }
}

async function sources(engine: Engine, cluster: string, query: LogQuery): Promise<Source[]> {
  const { workloads } = await viewCluster(engine, cluster);
  return [...workloads.values()]
    .filter(({ id }) => query.id === undefined || query.id === id)
    .sort((left, right) => (left.id < right.id ? -1 : 1))
    .flatMap(({ id, containers }) => containers.map((container) => ({ workload: id, container })))
    .filter(({ container }) => query.instance === undefined || query.instance === container.instance);
}
