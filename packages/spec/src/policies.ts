import type { ModelVersion, Outcome, Prediction, Query } from "./query.js";
import type { ApplicationRecord } from "./records.js";

/** What a selection policy may choose from: an application's routes, resolved to versions as of now. */
export interface ResolvedRoute {
  readonly target: ModelVersion;
  readonly weight: number;
  readonly mirror: boolean;
}

/**
 * Chooses which model versions answer a query, and makes one prediction of their outcomes.
 * Pure: everything it may use is handed over.
 */
export interface SelectionPolicy {
  readonly name: string;
  /** @returns the versions to ask; empty: the query gets the default output, reason `no_link` */
  select(query: Query, routes: readonly ResolvedRoute[], random: () => number): readonly ModelVersion[];
  /**
   * @param outcomes of the tasks, in the order of `select`; undefined where none came before the deadline
   * @returns undefined to wait for more; never undefined when all have come or `final` is true
   */
  combine(
    query: Query,
    application: ApplicationRecord,
    targets: readonly ModelVersion[],
    outcomes: readonly (Outcome | undefined)[],
    final: boolean,
  ): Prediction | undefined;
}

/** One batch, when it came back. */
export interface BatchObservation {
  readonly batchSize: number;
  /** Inside the function, µs. */
  readonly serviceMicros: number;
  /** From sending the batch to the last of its outcomes, µs. */
  readonly roundTripMicros: number;
  /** Whether more was waiting than the batch could hold: a batch that was not full says little of the limit. */
  readonly saturated: boolean;
}

/** Decides how many inputs a replica is given at once. One instance per replica. */
export interface BatchPolicy {
  readonly name: string;
  /** Largest batch now; at least 1. Never depends on what waits. */
  limit(): number;
  observe(observation: BatchObservation): void;
  /** Expected time of a batch of `size`, µs, or undefined while too little is known. Used to drop what cannot come in time. */
  estimateMicros(size: number): number | undefined;
}
