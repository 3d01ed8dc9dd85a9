/** What a deploy of `slow_to_load.py` says on stderr when it has come to a phase. */
export const DEPLOY_PHASES = [
  ["capture", "slow to be captured"],
  ["environment", "captured as"],
  ["preflight", "environment"],
  ["apply", "the function"],
  ["ready", "accepted by the platform"],
] as const;
