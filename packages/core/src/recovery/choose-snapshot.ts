import {
  EPOCH_LABEL,
  type HeldSnapshot,
  type OriginRecord,
  succeedsEpoch,
  type WorkloadStatus,
} from "@clipper-serving/spec";

/**
 * The freshest of what the frontends hold. Within one history that is the highest revision; of two histories, the one that took the other's place. Where neither did, the
 * replicas that run say which was the last: their labels name the store that wanted them.
 * @returns undefined when there is none
 */
export function chooseSnapshot(
  held: readonly HeldSnapshot[],
  replicas: readonly Pick<WorkloadStatus, "labels">[],
): HeldSnapshot | undefined {
  const runs = (epoch: string) => replicas.filter(({ labels }) => labels[EPOCH_LABEL] === epoch).length;
  const isFresher = (left: HeldSnapshot, right: HeldSnapshot): boolean => {
    const [a, b] = [left.snapshot.head, right.snapshot.head];
    if (a.epoch === b.epoch) return a.revision > b.revision;
    if (succeedsEpoch(originOf(left), b.epoch)) return true;
    if (succeedsEpoch(originOf(right), a.epoch)) return false;
    if (runs(a.epoch) !== runs(b.epoch)) return runs(a.epoch) > runs(b.epoch);
    return left.frontends.length > right.frontends.length;
  };
  return held.reduce<HeldSnapshot | undefined>(
    (best, next) => (best === undefined || isFresher(next, best) ? next : best),
    undefined,
  );
}

function originOf({ snapshot }: HeldSnapshot): OriginRecord | undefined {
  return snapshot.records.find(({ kind }) => kind === "origin")?.value as OriginRecord | undefined;
}
