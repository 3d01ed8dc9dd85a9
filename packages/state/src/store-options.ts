import { InvalidArgumentError } from "@clipper-serving/spec";

/** How many commits `since` can tell of. */
export interface HistoryOptions {
  /** Commits kept. Default 1,000; at least 1. */
  readonly historyCommits?: number;
}

const DEFAULT_HISTORY_COMMITS = 1_000;

export function resolveHistoryCommits({ historyCommits = DEFAULT_HISTORY_COMMITS }: HistoryOptions): number {
  if (Number.isInteger(historyCommits) && historyCommits >= 1) return historyCommits;
  throw new InvalidArgumentError({
    argument: "historyCommits",
    value: historyCommits,
    expected: "a whole number of 1 or more",
  });
}
