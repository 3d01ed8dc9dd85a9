import type { StateCommit, StateHead, StateRecord } from "@clipper-serving/spec";
import { commitsAfter, type KeptCommit } from "./commits-after.js";
import { firstHead } from "./head.js";
import type { StoreProblem } from "./store-errors.js";

/** Names a record, whatever became of its value. */
export interface RecordName {
  readonly kind: string;
  readonly key: string;
}

/** @returns the commits that are still kept, when the chain of hashes proves that they led to `current`; otherwise none */
export function provenHistory(
  current: StateHead,
  oldest: { readonly revision: number; readonly hash: string } | undefined,
  commitAt: (revision: number) => KeptCommit | undefined,
): readonly StateCommit[] {
  if (oldest === undefined) return [];
  const from =
    oldest.revision === 1
      ? firstHead(current.epoch)
      : { epoch: current.epoch, revision: oldest.revision, hash: oldest.hash };
  const commits = commitsAfter(from, current, commitAt);
  return commits === "resync" ? [] : commits;
}

/** @returns the record as it was last committed; undefined when that was longer ago than the history goes, or it was removed */
export function recordInHistory(
  history: readonly StateCommit[],
  { kind, key }: RecordName,
): StateRecord | undefined {
  for (const { head, changes } of history.toReversed()) {
    const change = changes.findLast((other) => other.kind === kind && other.key === key);
    if (change === undefined) continue;
    return change.value === undefined
      ? undefined
      : { kind, key, value: change.value, revision: head.revision };
  }
  return undefined;
}

export function problemOf({ kind, key }: RecordName, recovered: boolean): StoreProblem {
  const name = `${kind} ${JSON.stringify(key)}`;
  return {
    kind,
    key,
    recovered,
    message: recovered
      ? `${name} is damaged; what was committed is still in the history and is given out`
      : `${name} is damaged, and the history no longer holds it: it is left out`,
  };
}

/** @returns undefined for text that is not JSON: it was damaged */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The caller takes what cannot be parsed for what is not there.
    return undefined;
  }
}
