import type { ClipperError } from "@clipper-serving/spec";
import type { Action } from "./reconcile.js";

/** An action as it may be shown: without what it would give the platform. */
export interface ActionSummary {
  readonly kind: Action["kind"];
  /** Of the workload or operation. */
  readonly id: string;
  readonly why: string;
}

export interface ActionFailure {
  readonly action: ActionSummary;
  readonly error: unknown;
}

/** What came of one round. */
export interface Round {
  readonly done: readonly ActionSummary[];
  readonly failed: readonly ActionFailure[];
}

/** What a controller tells of its work. */
export type ControllerEvent =
  | { readonly type: "action-done"; readonly action: ActionSummary }
  | {
      readonly type: "action-failed";
      readonly action: ActionSummary;
      readonly error: unknown;
      readonly retryInMs: number;
    }
  /** Platform or management could not be asked; nothing was done. */
  | { readonly type: "round-failed"; readonly error: unknown; readonly retryInMs: number }
  /** A wish that cannot be met until a person changes something. */
  | { readonly type: "workload-left"; readonly id: string; readonly error: ClipperError }
  /** The platform's hints ended; rounds go on at their interval. */
  | { readonly type: "hints-failed"; readonly error: unknown };
