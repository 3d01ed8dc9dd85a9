import {
  ConflictError,
  type ModelVersion,
  modelVersionKey,
  type OperationRecord,
} from "@clipper-serving/spec";
import type { StateView } from "./state-view.js";

/** Of the error that a deploy ends with when its caller went away. */
export const OPERATION_ABANDONED = "OPERATION_ABANDONED";

/** How long an operation is held for a caller that does not renew, ms. */
export const DEFAULT_LEASE_MS = 6_000;

/** For how long what became of an operation can be read, ms. */
export const KEEP_ENDED_MS = 3_600_000;

/** Nothing more will happen to it. */
export function isFinal({ phase }: Pick<OperationRecord, "phase">): boolean {
  return phase === "done" || phase === "failed";
}

/** Its caller is gone: whoever comes next ends it. */
export function isAbandoned(
  operation: Pick<OperationRecord, "phase" | "leaseUntilMs">,
  nowMs: number,
): boolean {
  return !isFinal(operation) && operation.leaseUntilMs <= nowMs;
}

/** @returns the operation on this version that has not ended, its caller gone or not */
export function openOperation(view: StateView, target: ModelVersion): OperationRecord | undefined {
  const key = modelVersionKey(target);
  return view.operations().find((other) => !isFinal(other) && modelVersionKey(other.target) === key);
}

export function endedError(operation: OperationRecord): ConflictError {
  const why = operation.error === undefined ? "" : `: ${operation.error.message}`;
  return new ConflictError({
    code: "OPERATION_ENDED",
    message: `operation ${operation.id}, a ${operation.kind} of ${modelVersionKey(operation.target)}, has ended as ${operation.phase}${why}`,
    hint: "begin it anew",
    facts: { operation: operation.id, phase: operation.phase, error: operation.error },
  });
}

export function runningError(operation: OperationRecord, nowMs: number): ConflictError {
  const leftMs = Math.max(0, operation.leaseUntilMs - nowMs);
  return new ConflictError({
    code: "OPERATION_RUNNING",
    message: `a ${operation.kind} of ${modelVersionKey(operation.target)} is running, at ${operation.phase}; should its caller be gone, its lease ends in ${leftMs} ms`,
    hint: `wait for it, or begin again in ${leftMs} ms`,
    facts: {
      operation: operation.id,
      kind: operation.kind,
      phase: operation.phase,
      ...(operation.contentDigest === undefined ? {} : { contentDigest: operation.contentDigest }),
      leaseUntilMs: operation.leaseUntilMs,
      leaseLeftMs: leftMs,
    },
  });
}
