import {
  type ClusterView,
  EPOCH_LABEL,
  type FrontendView,
  ROLE_LABEL,
  type StateHead,
  succeedsEpoch,
  succeedsHead,
  type WorkloadStatus,
} from "@clipper-serving/spec";

/** Frontends that serve by another history than the store's, and do not follow it. */
export function frontendsApart({ head, origin, frontends }: ClusterView): readonly FrontendView[] {
  return frontends.filter((frontend) => servesOther(frontend, head) && !isFollowed(frontend));

  function isFollowed(frontend: FrontendView): boolean {
    return frontend.head !== undefined && succeedsHead(origin, frontend.head);
  }
}

export function servesOther({ head }: FrontendView, own: StateHead): boolean {
  return head !== undefined && head.epoch !== own.epoch;
}

/**
 * Whether what the records do not name is truly needed by nobody: nothing was lost, or a person has accepted that it is.
 * @param running the platform's workloads: replicas say whose they are when no frontend does
 */
export function nameAllThatIsNeeded(view: ClusterView, running: readonly WorkloadStatus[]): boolean {
  const { head, origin, state } = view;
  const ofOthers = running.filter(({ labels }) => {
    const { [ROLE_LABEL]: role, [EPOCH_LABEL]: epoch = head.epoch } = labels;
    return role === "replica" && epoch !== head.epoch && !succeedsEpoch(origin, epoch);
  });
  return (
    state !== "new" && !origin?.left.length && ofOthers.length === 0 && frontendsApart(view).length === 0
  );
}
