import { existsSync, readdirSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { CallOptions } from "@clipper-serving/spec";
import { type ClusterPaths, clusterPaths } from "../cluster-paths.js";
import type { ResolvedLocalManagerOptions } from "../local-options.js";
import { isAlive } from "../process-identity.js";
import type { SupervisorCalls, SupervisorFile, SupervisorMethod } from "../protocol.js";
import { startSupervisor } from "./start-supervisor.js";
import { ask, readSupervisorFile, SupervisorGoneError } from "./supervisor-connection.js";

/** How often a call is made again because the supervisor ended under it: every call may be repeated. */
const ATTEMPTS = 5;
const RECONNECT_MS = 250;

/** Talks with the supervisor of one cluster, and starts it where a call needs one. */
export class SupervisorClient {
  readonly paths: ClusterPaths;
  readonly #cluster: string;
  readonly #options: ResolvedLocalManagerOptions;

  constructor(cluster: string, options: ResolvedLocalManagerOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.paths = clusterPaths(options, cluster);
  }

  /** Whether there is a workload, running or remembered. */
  get hasWorkloads(): boolean {
    return existsSync(this.paths.workloads) && readdirSync(this.paths.workloads).length > 0;
  }

  /** Whether anything of the cluster is kept. */
  get hasAnything(): boolean {
    return existsSync(this.paths.directory) || existsSync(this.paths.runtime);
  }

  async call<Method extends SupervisorMethod>(
    method: Method,
    params: SupervisorCalls[Method]["params"],
    { signal }: CallOptions = {},
  ): Promise<SupervisorCalls[Method]["result"]> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const supervisor = await this.#find(signal);
      try {
        const { result, isEnding } = await ask(supervisor, method, params, { signal });
        if (isEnding) await ended(supervisor);
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        if (!SupervisorGoneError.isInstance(error) || attempt === ATTEMPTS) throw error;
        await ended(supervisor);
      }
    }
  }

  /** Yields at each change, also when the supervisor comes or goes. Starts none. */
  async *changes(signal: AbortSignal | undefined): AsyncIterable<void> {
    const isAborted = (): boolean => signal?.aborted ?? false;
    while (!isAborted()) {
      const supervisor = readSupervisorFile(this.paths.supervisor);
      if (supervisor !== undefined) {
        yield* changesOf(supervisor, signal);
        if (!isAborted()) yield;
      }
      await pause(RECONNECT_MS, signal);
    }
  }

  async #find(signal: AbortSignal | undefined): Promise<SupervisorFile> {
    const known = readSupervisorFile(this.paths.supervisor);
    if (known !== undefined) return known;
    // What lives by the supervisor ends with it: an instance that started the next one would bring back a cluster that has just gone.
    if (isInstanceOf(this.#cluster, process.env)) throw new SupervisorGoneError();
    return await startSupervisor({
      cluster: this.#cluster,
      options: this.#options,
      paths: this.paths,
      signal,
    });
  }
}

/** Whether this process is one of the cluster's own, such as its controller. */
function isInstanceOf(cluster: string, { CLIPPER_CLUSTER, CLIPPER_LIFELINE }: NodeJS.ProcessEnv): boolean {
  return CLIPPER_CLUSTER === cluster && CLIPPER_LIFELINE !== undefined;
}

async function* changesOf(supervisor: SupervisorFile, signal: AbortSignal | undefined): AsyncIterable<void> {
  const stopped = new AbortController();
  const ended = signal === undefined ? stopped.signal : AbortSignal.any([signal, stopped.signal]);
  let isOver = false;
  let isNews = false;
  let wake = (): void => undefined;
  const asking = ask(
    supervisor,
    "changes",
    {},
    {
      signal: ended,
      onItem: () => {
        isNews = true;
        wake();
      },
    },
  );
  const over = (): void => {
    // Called off, or the supervisor has gone: both end this stream, and who asked looks for the next supervisor.
    isOver = true;
    wake();
  };
  asking.then(over, over);
  try {
    for (;;) {
      if (isNews) {
        isNews = false;
        yield;
      } else if (isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stopped.abort();
  }
}

/** Waits for a supervisor that said it ends itself, or broke off, to be gone. */
async function ended(supervisor: SupervisorFile): Promise<void> {
  const LOOKS = 400;
  for (let look = 0; look < LOOKS && isAlive(supervisor); look += 1) await wait(5);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch {
    // Only the signal ends it early, and whoever waits looks at the signal.
  }
}
