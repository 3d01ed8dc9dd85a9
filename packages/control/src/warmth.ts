import type { ModelRecord, StateChange, VersionRecord } from "@clipper-serving/spec";
import { putRecord } from "./decision.js";
import { type StateView, unstored } from "./state-view.js";

/**
 * @returns changes that scale to 0 what no query can reach: versions of the model that are neither current, nor among the `keepWarm`
 * before it, nor named by a route
 */
export function coolOldVersions(view: StateView, model: ModelRecord, keepWarm: number): StateChange[] {
  const warm = warmVersions(view, model, keepWarm);
  return view
    .versionsOf(model.name)
    .filter(({ version }) => !warm.has(version))
    .flatMap((version) => setInstancesOf(view, version, 0));
}

/** @returns the change that gives the version's workload this many instances; none when it has them, or has no workload */
export function setInstancesOf(view: StateView, version: VersionRecord, instances: number): StateChange[] {
  const workload = version.workload === undefined ? undefined : view.workload(version.workload);
  if (workload === undefined || workload.instances === instances) return [];
  return [putRecord("workload", { ...unstored(workload), instances })];
}

function warmVersions(view: StateView, model: ModelRecord, keepWarm: number): ReadonlySet<string> {
  const others = [...view.versionsOf(model.name)]
    .filter(({ version }) => version !== model.currentVersion)
    .sort((a, b) => rank(b) - rank(a))
    .slice(0, keepWarm)
    .map(({ version }) => version);
  const named = view
    .applicationsOf(model.name)
    .flatMap(({ routes }) => routes)
    .filter((route) => route.model === model.name)
    .map((route) => route.version);
  return new Set([
    ...(model.currentVersion === undefined ? [] : [model.currentVersion]),
    ...others,
    ...named,
  ]);

  /** What was current before comes first, then what was registered or scaled last. */
  function rank({ version, revision }: { readonly version: string; readonly revision: number }): number {
    return version === model.previousVersion ? Number.POSITIVE_INFINITY : revision;
  }
}
