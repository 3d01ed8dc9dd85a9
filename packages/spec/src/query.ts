import type { InputType } from "./input-type.js";
import type { Payload } from "./payload.js";

/*
 * Words, from the outside in: a *query* is one input of an application with a deadline; a selection policy turns it into *tasks*,
 * one per model version it chose; a task is tried as *attempts*, each on one replica; what comes back is an *outcome*; outcomes are
 * combined into one *prediction*.
 */

/** A model's name and one of its versions. */
export interface ModelVersion {
  readonly model: string;
  readonly version: string;
}

/** `model:version`, as Clipper writes it; neither part can hold a colon. */
export type ModelVersionKey = `${string}:${string}`;

export function modelVersionKey({ model, version }: ModelVersion): ModelVersionKey {
  return `${model}:${version}`;
}

/** Why the default output was given instead of a model's answer. Stable: it is in answers, metrics and logs. */
export const DEFAULT_REASONS = [
  /** the latency objective passed first */
  "deadline",
  /** the application is linked to no model, or to one without a current version */
  "no_link",
  /** no replica of the version is connected */
  "no_replica",
  /** the replica went away with the batch, and no second try fitted into the deadline */
  "replica_lost",
  /** the model's function raised */
  "model_error",
  /** the function returned something other than one string per input */
  "bad_output",
  /** the queue was full, or the answer could not have come in time */
  "overloaded",
  /** the frontend is shutting down */
  "draining",
] as const;

export type DefaultReason = (typeof DEFAULT_REASONS)[number];

/** Clipper's two explanations, kept word for word; every reason maps to one of them. */
export const DEFAULT_EXPLANATIONS: Readonly<Record<DefaultReason, string>> = {
  deadline: "Failed to retrieve a prediction response within the specified latency SLO",
  no_link: "No connected models found for query",
  no_replica: "No connected models found for query",
  replica_lost: "Failed to retrieve a prediction response within the specified latency SLO",
  model_error: "Failed to retrieve a prediction response within the specified latency SLO",
  bad_output: "Failed to retrieve a prediction response within the specified latency SLO",
  overloaded: "Failed to retrieve a prediction response within the specified latency SLO",
  draining: "Failed to retrieve a prediction response within the specified latency SLO",
};

export interface Query {
  /** Counts up from 0 per frontend process; what the answer calls `query_id`. */
  readonly id: number;
  readonly application: string;
  readonly inputType: InputType;
  readonly input: Payload;
  /** A version the caller insisted on; without it the application's routes decide. */
  readonly version?: string;
  /** On the engine's clock. */
  readonly deadlineMicros: number;
  readonly requestId?: string;
  /** W3C `traceparent`. */
  readonly trace?: string;
  /** Aborted when the caller has gone: what was not yet sent to a replica is dropped. */
  readonly signal?: AbortSignal;
}

/** One model version a policy chose for a query. */
export interface Task {
  readonly queryId: number;
  readonly target: ModelVersion;
  readonly input: Payload;
  readonly deadlineMicros: number;
  /** The whole time the application allows, µs: what batch sizes are fitted to. */
  readonly sloMicros: number;
  readonly requestId?: string;
  readonly trace?: string;
  readonly signal?: AbortSignal;
}

/** What went wrong with one item, where the model or the system is to blame for that item alone. */
export interface OutcomeError {
  readonly reason: DefaultReason;
  /** For logs; an exception's type, never its values. */
  readonly message: string;
}

/** How a task ended. A task has exactly one outcome, or none before its deadline. */
export type Outcome =
  | { readonly ok: true; readonly output: Payload; readonly cached: boolean }
  | { readonly ok: false; readonly error: OutcomeError };

/** The one answer to a query. */
export type Prediction =
  | {
      readonly queryId: number;
      readonly isDefault: false;
      readonly output: Payload;
      readonly servedBy: ModelVersion;
      readonly cached: boolean;
    }
  | {
      readonly queryId: number;
      readonly isDefault: true;
      readonly reason: DefaultReason;
      readonly message: string;
      readonly servedBy?: ModelVersion;
    };
