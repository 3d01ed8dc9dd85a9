import { ClipperError } from "./clipper-error.js";
import type { DeployErrorCode } from "./deploy-errors.js";
import { type ReplicaFacts, replicaFacts } from "./replica-facts.js";

/**
 * Replicas that were to run do not: they ended, or did not connect in time. What was wished for stands, and the platform goes on trying. Where they were a deploy's,
 * a `DeployError` says so instead, because that is undone.
 * Codes: `REPLICA_FAILED`, `REPLICA_NOT_READY`, `OUT_OF_MEMORY`, and what a replica of ours says itself when it ends.
 */
export class ReplicaError extends ClipperError {
  /** Why, without what it was for. */
  readonly reason: string;

  constructor(
    options: ReplicaFacts & {
      code: DeployErrorCode;
      /** What they were to run for: `scaling m:1 to 3 replicas`. */
      purpose: string;
      reason: string;
      hint?: string | undefined;
      cause?: unknown;
    },
  ) {
    const { code, purpose, reason, hint, cause } = options;
    super({ code, message: `${purpose} failed: ${reason}`, hint, facts: replicaFacts(options), cause });
    this.reason = reason;
  }
}
