import type { AttemptErrorKind, DefaultReason, Outcome } from "@clipper-serving/spec";

export function failure(reason: DefaultReason, message: string): Outcome {
  return { ok: false, error: { reason, message } };
}

/** Outcomes that say nothing of the one task: made once. */
export const OUTCOMES = {
  expired: failure("deadline", "the deadline passed before a replica was free"),
  cannotCome: failure("overloaded", "the answer could not have come in time"),
  queueFull: failure("overloaded", "the queue is full"),
  noReplica: failure("no_replica", "no replica of the version is connected"),
  notRegistered: failure("no_replica", "the version is not registered"),
  aborted: failure("deadline", "the caller has gone"),
  lost: failure("replica_lost", "the replica went away, and no second try fitted into the deadline"),
  quarantined: failure("replica_lost", "two replicas died of this input"),
} as const satisfies Record<string, Outcome>;

/** How a replica's own words for an error read to a caller; `cancelled` and `expired` are about the attempt, not the input. */
export const REASON_OF_ERROR: Readonly<
  Record<Exclude<AttemptErrorKind, "cancelled" | "expired">, DefaultReason>
> = {
  model_error: "model_error",
  bad_output: "bad_output",
  bad_input: "model_error",
};
