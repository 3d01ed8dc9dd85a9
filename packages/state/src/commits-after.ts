import type { StateChange, StateCommit, StateHead } from "@clipper-serving/spec";
import { firstHead, nextHead } from "./head.js";

/** A commit as it is kept. */
export interface KeptCommit {
  readonly hash: string;
  readonly changes: readonly StateChange[];
}

/**
 * What `since` answers, from a history that may have been cut short or damaged: each head is worked
 * out anew, and unless the last one comes out as the store's own nothing is told.
 */
export function commitsAfter(
  asked: StateHead,
  current: StateHead,
  commitAt: (revision: number) => KeptCommit | undefined,
): readonly StateCommit[] | "resync" {
  if (asked.epoch !== current.epoch || asked.revision > current.revision) return "resync";
  const known =
    asked.revision === current.revision
      ? current.hash
      : asked.revision === 0
        ? firstHead(current.epoch).hash
        : commitAt(asked.revision)?.hash;
  if (known !== asked.hash) return "resync";
  const commits: StateCommit[] = [];
  let head = asked;
  while (head.revision < current.revision) {
    const kept = commitAt(head.revision + 1);
    if (kept === undefined) return "resync";
    head = nextHead(head, kept.changes);
    commits.push({ head, changes: kept.changes });
  }
  return head.hash === current.hash ? commits : "resync";
}
