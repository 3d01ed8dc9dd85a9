import { type ClusterView, type FrontendView, type StateHead, succeedsHead } from "@clipper-serving/spec";

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

/** Whether what the records do not name is truly needed by nobody: nothing was lost, or a person has accepted that it is. */
export function nameAllThatIsNeeded(view: ClusterView): boolean {
  return view.state !== "new" && !view.origin?.left.length && frontendsApart(view).length === 0;
}
