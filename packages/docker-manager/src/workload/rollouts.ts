import { setTimeout as wait } from "node:timers/promises";
import type { Engine } from "../engine/engine.js";
import { isConflict } from "../engine/engine-error.js";
import { type InstanceContainer, viewCluster, type WorkloadView, workloadIn } from "./cluster-view.js";
import { probeReadiness } from "./readiness.js";
import { planRollout } from "./rollout-plan.js";
import type { Surroundings } from "./surroundings.js";

const FIRST_INTERVAL_MS = 100;
const LONGEST_INTERVAL_MS = 1_000;
/** From the moment callers reach the new instance to the old one's SIGTERM: those who had just looked it up are still answered. */
const HANDOVER_MS = 200;

/**
 * Carries on changes that take time, beside the calls of this process. All it goes by is on the engine: where this process ends, whoever lists or
 * applies next carries on.
 */
export class Rollouts {
  readonly #running = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  readonly #ending = new Set<string>();

  /** Sees to it that somebody is at work on a workload. */
  nudge(surroundings: Surroundings, id: string): void {
    const key = `${surroundings.cluster}/${id}`;
    if (this.#running.has(key)) return;
    const abort = new AbortController();
    const done = this.#carryOn(surroundings, id, abort.signal)
      // The engine is away, or somebody else is at work on the same: the next call looks again.
      .catch(() => undefined)
      .finally(() => this.#running.delete(key));
    this.#running.set(key, { abort, done });
  }

  /** Resolves when nobody of this process is at work on a workload. */
  async halt(cluster: string, id: string): Promise<void> {
    const running = this.#running.get(`${cluster}/${id}`);
    running?.abort.abort();
    await running?.done;
  }

  haltAll(): void {
    for (const { abort } of this.#running.values()) abort.abort();
  }

  isBeingEnded({ id }: InstanceContainer): boolean {
    return this.#ending.has(id);
  }

  /** Marks containers for as long as they are being ended. */
  async whileEnding(containers: readonly InstanceContainer[], work: () => Promise<void>): Promise<void> {
    for (const { id } of containers) this.#ending.add(id);
    try {
      await work();
    } finally {
      for (const { id } of containers) this.#ending.delete(id);
    }
  }

  async #carryOn(surroundings: Surroundings, id: string, signal: AbortSignal): Promise<void> {
    const { engine, cluster, callerHost } = surroundings;
    let intervalMs = FIRST_INTERVAL_MS;
    while (!signal.aborted) {
      const view = workloadIn(await viewCluster(engine, cluster), id);
      if (view.record === undefined) return;
      const readinessOf = await probeReadiness(view.record.spec, view.containers, callerHost);
      const plan = planRollout(view, (container) => readinessOf(container).isReady);
      if (plan.isSettled) return;
      const [started] = await Promise.all([
        Promise.all(plan.start.map((container) => this.#start(surroundings, container))),
        this.#retire(surroundings, view, plan.retire, signal),
      ]);
      const isProgress = plan.retire.length > 0 || started.includes(true);
      intervalMs = isProgress ? FIRST_INTERVAL_MS : Math.min(LONGEST_INTERVAL_MS, intervalMs * 1.5);
      if (!isProgress) await pause(intervalMs, signal);
    }
  }

  async #start({ engine }: Surroundings, container: InstanceContainer): Promise<boolean> {
    try {
      await engine.containers.start(container.id);
      return true;
    } catch {
      // Why it cannot be started the engine keeps with the container, where `list` finds it.
      return false;
    }
  }

  async #retire(
    { engine }: Surroundings,
    view: WorkloadView,
    containers: readonly InstanceContainer[],
    signal: AbortSignal,
  ): Promise<void> {
    if (containers.length === 0) return;
    await pause(HANDOVER_MS, signal);
    if (signal.aborted) return;
    await this.whileEnding(containers, async () => {
      await Promise.all(
        containers.map(async ({ id }) => {
          await engine.containers.stop(id, view.record!.spec.graceMs);
          await engine.containers.remove(id);
        }),
      );
    });
    await this.#removeSecrets(engine, view, containers);
  }

  /** Those that only the containers had which have just been removed. */
  async #removeSecrets(
    engine: Engine,
    view: WorkloadView,
    removed: readonly InstanceContainer[],
  ): Promise<void> {
    const left = [...view.containers, ...view.pending].filter((container) => !removed.includes(container));
    for (const { volume, runDigest } of view.secrets) {
      const wasTheirs = removed.some((container) => container.runDigest === runDigest);
      if (!wasTheirs || left.some((container) => container.runDigest === runDigest)) continue;
      try {
        await engine.volumes.remove(volume);
      } catch (error) {
        // An `apply` has just begun to use it.
        if (!isConflict(error)) throw error;
      }
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal, ref: false });
  } catch {
    // Only the signal ends a wait early, and whoever waits looks at it.
  }
}
