import type { WorkloadStatus } from "@clipper-serving/spec";
import { viewCluster, type WorkloadView } from "./cluster-view.js";
import { type Death, lastDeaths } from "./deaths.js";
import { workloadStatus } from "./instance-status.js";
import { probeReadiness } from "./readiness.js";
import { planRollout } from "./rollout-plan.js";
import type { Rollouts } from "./rollouts.js";
import type { Surroundings } from "./surroundings.js";

/** Tells what the engine and the instances say now, and sees to it that changes that were begun go on. */
export async function listWorkloads(
  surroundings: Surroundings,
  rollouts: Rollouts,
): Promise<WorkloadStatus[]> {
  const { engine, cluster } = surroundings;
  const { workloads } = await viewCluster(engine, cluster);
  const views = [...workloads.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  const ranBefore = views.some(({ containers }) =>
    containers.some(({ inspected }) => inspected.RestartCount > 0),
  );
  const deaths = ranBefore ? await lastDeaths(engine, cluster) : new Map<string, Death>();
  const found = await Promise.all(views.map((view) => statusOf(view, { surroundings, rollouts, deaths })));
  return found.filter((status) => status !== undefined);
}

async function statusOf(
  view: WorkloadView,
  {
    surroundings,
    rollouts,
    deaths,
  }: { surroundings: Surroundings; rollouts: Rollouts; deaths: ReadonlyMap<string, Death> },
): Promise<WorkloadStatus | undefined> {
  if (view.record === undefined) return undefined;
  const readinessOf = await probeReadiness(view.record.spec, view.containers, surroundings.callerHost);
  const plan = planRollout(view, (container) => readinessOf(container).isReady);
  if (!plan.isSettled) rollouts.nudge(surroundings, view.id);
  return workloadStatus(view, {
    readinessOf,
    deaths,
    isBesideUs: surroundings.engine.isBesideUs,
    isBeingEnded: (container) => rollouts.isBeingEnded(container),
  });
}
