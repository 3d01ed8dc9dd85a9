import type { Holdings, InstanceContainer, WorkloadView } from "./cluster-view.js";

/** What has to be done now to come nearer to what is wanted. */
export interface RolloutPlan {
  readonly start: readonly InstanceContainer[];
  readonly retire: readonly InstanceContainer[];
  /** Nothing is left to be done or waited for. */
  readonly isSettled: boolean;
}

type Role = "wanted" | "previous" | "unwanted";

/** What the record means by a container. */
export function roleOf({ record }: WorkloadView, { serial }: InstanceContainer): Role {
  const places = record?.places ?? [];
  if (places.some((place) => place.serial === serial)) return "wanted";
  return places.some((place) => place.previous === serial) ? "previous" : "unwanted";
}

/**
 * Decides from the engine's truth alone, so that whoever looks next carries on what somebody else began. Containers are never made here:
 * that takes the secrets, which only `apply` has.
 *
 * A place's wanted instance starts as soon as nothing that runs holds what it needs. The one before it ends when the wanted one is ready, or,
 * where both cannot run at once, before that starts; then one place goes after the other, so that not all are away together.
 */
export function planRollout(
  view: WorkloadView,
  isReady: (container: InstanceContainer) => boolean,
): RolloutPlan {
  const { record, containers } = view;
  if (record === undefined) return { start: [], retire: [], isSettled: true };
  const bySerial = new Map(containers.map((container) => [container.serial, container]));
  const places = record.places.map(({ serial, previous }) => ({
    wanted: bySerial.get(serial),
    previous: previous === undefined ? undefined : bySerial.get(previous),
  }));
  const retire = containers.filter((container) => roleOf(view, container) === "unwanted");
  let isAnyAway = places.some(
    ({ wanted, previous }) => wanted !== undefined && previous === undefined && !isReady(wanted),
  );
  for (const { wanted, previous } of places) {
    if (wanted === undefined || previous === undefined) continue;
    if (!excludeEachOther(wanted.holds, previous.holds)) {
      if (isReady(wanted)) retire.push(previous);
      continue;
    }
    if (isAnyAway && isReady(previous)) continue;
    retire.push(previous);
    isAnyAway = true;
  }
  const start = places.flatMap(({ wanted }) =>
    wanted !== undefined && isWaitingToStart(wanted) && !isBlocked(wanted, containers) ? [wanted] : [],
  );
  const isWaiting = places.some(
    ({ wanted, previous }) =>
      wanted !== undefined &&
      (previous !== undefined || (isWaitingToStart(wanted) && !start.includes(wanted))),
  );
  return { start, retire, isSettled: start.length === 0 && retire.length === 0 && !isWaiting };
}

/** Whether it was never started: one that could not be is for `apply` to try again. */
export function isWaitingToStart({ inspected: { State } }: InstanceContainer): boolean {
  return State.Status === "created" && State.Error === "";
}

export function excludeEachOther(left: Holdings, right: Holdings): boolean {
  return (
    (left.volume !== undefined && left.volume === right.volume) ||
    left.ports.some((port) => right.ports.includes(port))
  );
}

function isBlocked(container: InstanceContainer, all: readonly InstanceContainer[]): boolean {
  return all.some(
    (other) =>
      other !== container &&
      other.inspected.State.Status !== "created" &&
      excludeEachOther(container.holds, other.holds),
  );
}
