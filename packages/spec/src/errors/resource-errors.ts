import { ClipperError } from "./clipper-error.js";

/** What a cluster's records are about, as errors name it. */
export type ResourceKind =
  | "application"
  | "model"
  | "version"
  | "route"
  | "operation"
  | "workload"
  | "cluster"
  | "bundle"
  | "replica"
  | "frontend"
  | "port";

/** Something named does not exist. */
export class NotFoundError extends ClipperError {
  constructor(options: {
    kind: ResourceKind;
    name: string;
    message?: string;
    hint?: string;
    cause?: unknown;
  }) {
    super({
      code: "NOT_FOUND",
      message: options.message ?? `there is no ${options.kind} ${JSON.stringify(options.name)}`,
      hint: options.hint,
      facts: { kind: options.kind, name: options.name },
      cause: options.cause,
    });
  }
}

/** What was asked for contradicts what is there: a name taken, another input type, another model linked. */
export class ConflictError extends ClipperError {
  constructor(options: {
    code?: string;
    message: string;
    hint?: string;
    facts?: Readonly<Record<string, unknown>>;
    cause?: unknown;
  }) {
    super({ ...options, code: options.code ?? "CONFLICT" });
  }
}

/** The same model and version were deployed before with another bundle. */
export class VersionExistsError extends ConflictError {
  constructor(facts: { model: string; version: string; deployedDigest: string; newDigest: string }) {
    super({
      code: "VERSION_EXISTS",
      message: `version ${facts.version} of model ${facts.model} exists with another content`,
      hint: "deploy under a new version: a version never changes what it is",
      facts,
    });
  }
}

/** A commit's expected head was not the store's: somebody else committed first. */
export class HeadMismatchError extends ConflictError {
  constructor(facts: { expected: unknown; actual: unknown }) {
    super({ code: "HEAD_MISMATCH", message: "the state has changed since it was read", facts });
  }
}

/** The store holds nothing, or another history, while something of the one it should hold is still there: what runs, or what a frontend serves. */
export class StateLostError extends ConflictError {
  constructor(options: { message: string; hint?: string; facts: Readonly<Record<string, unknown>> }) {
    super({ ...options, code: "STATE_LOST" });
  }
}

/** The state store cannot be reached, is full, or refuses to write. Nothing was half written. */
export class StoreUnavailableError extends ClipperError {
  constructor(options: { store: string; operation: string; cause?: unknown; hint?: string }) {
    const why = options.cause instanceof Error ? `: ${options.cause.message}` : "";
    super({
      code: "STORE_UNAVAILABLE",
      message: `the ${options.store} state store could not ${options.operation}${why}`,
      hint: options.hint,
      facts: { store: options.store, operation: options.operation },
      cause: options.cause,
    });
  }
}

/** A store gave back a state older than, or other than, the one it had acknowledged. */
export class StoreRegressedError extends ClipperError {
  constructor(facts: { store: string; known: unknown; found: unknown }) {
    super({
      code: "STORE_REGRESSED",
      message: `the ${facts.store} state store lost acknowledged changes`,
      hint: "put its data back, or have `clipper up` restore it from the frontends' snapshots",
      facts,
    });
  }
}
