import type { ApplicationRecord, ModelVersion, Outcome, Prediction, Query } from "@clipper-serving/spec";
import type { WheelItem } from "./deadline-wheel.js";
import type { RoutedApplication } from "./routing-table.js";

/** Whoever answers queries, told what happens to one under way. */
export interface PendingQueryOwner {
  outcomeCame(pending: PendingQuery): void;
  callerGone(pending: PendingQuery): void;
}

/** One query until its one answer. */
export class PendingQuery implements WheelItem<PendingQuery> {
  readonly query: Query;
  readonly application: RoutedApplication;
  readonly targets: readonly ModelVersion[];
  readonly outcomes: (Outcome | undefined)[];
  readonly startMicros: number;
  readonly promise: Promise<Prediction>;
  outcomesMissing: number;
  isSettled = false;
  wheelTick = 0;
  wheelNext: PendingQuery | undefined;
  wheelPrevious: PendingQuery | undefined;
  readonly #owner: PendingQueryOwner;
  #resolve!: (prediction: Prediction) => void;

  constructor(options: {
    owner: PendingQueryOwner;
    query: Query;
    application: RoutedApplication;
    targets: readonly ModelVersion[];
    startMicros: number;
  }) {
    this.#owner = options.owner;
    this.query = options.query;
    this.application = options.application;
    this.targets = options.targets;
    this.startMicros = options.startMicros;
    this.outcomes = [undefined];
    for (let missing = options.targets.length; missing > 1; missing--) this.outcomes.push(undefined);
    this.outcomesMissing = options.targets.length;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.query.signal?.addEventListener("abort", this);
  }

  get record(): ApplicationRecord {
    return this.application.record;
  }

  get deadlineMicros(): number {
    return this.query.deadlineMicros;
  }

  /** The signal's listener is this object, so that it costs no closure. */
  handleEvent(): void {
    this.#owner.callerGone(this);
  }

  take(index: number, outcome: Outcome): void {
    this.outcomes[index] = outcome;
    this.outcomesMissing--;
    this.#owner.outcomeCame(this);
  }

  settle(prediction: Prediction): void {
    if (this.isSettled) throw new TypeError(`query ${this.query.id} was settled twice`);
    this.isSettled = true;
    this.query.signal?.removeEventListener("abort", this);
    this.#resolve(prediction);
  }
}
