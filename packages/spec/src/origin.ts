import type { StateHead } from "./state-store.js";

/**
 * How a store came to what it holds, where that was not by its own commits: its predecessor was lost, and this one took its place. A store has at most one.
 */
export interface OriginRecord {
  /** The histories it goes on from, the latest first. Whoever holds one of them follows this store, although it may lack what that one had. */
  readonly succeeds: readonly SucceededHistory[];
  /** Workloads that ran when this was written and that no record names: they run on until somebody says that they may go. */
  readonly left: readonly string[];
}

export interface SucceededHistory {
  readonly epoch: string;
  /** The last of its revisions that is in this store. Absent: it was given up, whatever it had come to. */
  readonly revision?: number;
}

/** Whether a store of this origin stands for the state that `head` names, so that following it is no step back. */
export function succeedsHead(origin: OriginRecord | undefined, head: StateHead): boolean {
  return (
    origin?.succeeds.some(
      ({ epoch, revision }) => epoch === head.epoch && (revision === undefined || head.revision <= revision),
    ) ?? false
  );
}

/** Whether a store of this origin goes on from that history at all. */
export function succeedsEpoch(origin: OriginRecord | undefined, epoch: string): boolean {
  return origin?.succeeds.some((history) => history.epoch === epoch) ?? false;
}
