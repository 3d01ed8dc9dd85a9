import { ClipperError } from "./clipper-error.js";
import { type ReplicaFacts, replicaFacts } from "./replica-facts.js";

/** The steps of a deploy, in order. */
export const DEPLOY_STEPS = [
  "capture",
  "environment",
  "preflight",
  "program",
  "apply",
  "ready",
  "switch",
] as const;

export type DeployStep = (typeof DEPLOY_STEPS)[number];

/**
 * Why a deploy failed. Stable.
 * `CAPTURE_FAILED`, `NOT_PICKLABLE`, `FUNCTION_NOT_FOUND`, `USER_CODE_RAISED`: the function could not be made a bundle ·
 * `ENVIRONMENT_FAILED`: its packages could not be installed · `MODULE_MISSING`: it imports a module that is not in its environment ·
 * `PREFLIGHT_FAILED`: it raised on the sample · `BAD_OUTPUT`: it returned something other than one string per input ·
 * `PYTHON_MISMATCH`: it was pickled by another Python minor than the target runs · `REPLICA_FAILED`: replicas started and ended ·
 * `REPLICA_NOT_READY`: they did not connect in time.
 */
export type DeployErrorCode =
  | "CAPTURE_FAILED"
  | "NOT_PICKLABLE"
  | "FUNCTION_NOT_FOUND"
  | "USER_CODE_RAISED"
  | "ENVIRONMENT_FAILED"
  | "MODULE_MISSING"
  | "PREFLIGHT_FAILED"
  | "BAD_OUTPUT"
  | "PYTHON_MISMATCH"
  | "REPLICA_FAILED"
  | "REPLICA_NOT_READY"
  | (string & {});

/** A deploy failed. What it had made is removed, and what served goes on serving. */
export class DeployError extends ClipperError {
  readonly step: DeployStep;

  constructor(
    options: ReplicaFacts & {
      code: DeployErrorCode;
      step: DeployStep;
      message: string;
      hint?: string | undefined;
      cause?: unknown;
    },
  ) {
    const { code, step, model, version, message, hint } = options;
    super({
      code,
      message: `deploying ${model}:${version} failed at ${step}: ${message}`,
      hint,
      facts: { ...replicaFacts(options), step },
      cause: options.cause,
    });
    this.step = options.step;
  }
}

/** A model bundle is not what its manifest says, or cannot be read. */
export class BundleError extends ClipperError {
  constructor(options: {
    message: string;
    hint?: string;
    facts?: Readonly<Record<string, unknown>>;
    cause?: unknown;
  }) {
    super({ code: "BUNDLE_INVALID", ...options });
  }
}
