import type {
  AttemptOutcome,
  BatchPolicy,
  Clock,
  ModelVersion,
  Outcome,
  Random,
  Task,
  VersionRecord,
} from "@clipper-serving/spec";
import { modelVersionKey, payloadBytes } from "@clipper-serving/spec";
import { InputHasher } from "../cache/input-hasher.js";
import type { PredictionCache } from "../cache/prediction-cache.js";
import type { EngineObserver } from "../engine-observer.js";
import type { VersionInspection } from "../inspection.js";
import type { BatchPolicyContext } from "../query-engine.js";
import { Dispatcher } from "./dispatcher.js";
import { Flight, type FlightOwner, Waiter } from "./flight.js";
import { JoinableFlights } from "./joinable-flights.js";
import { ModelQueue } from "./model-queue.js";
import { failure, OUTCOMES, REASON_OF_ERROR } from "./outcomes.js";
import type { Quarantine } from "./quarantine.js";
import { RecentSlo } from "./recent-slo.js";
import type { Replica } from "./replica.js";

/** Times an input is given to another replica after it was lost with one. */
const RETRIES = 1;

export interface VersionHomeOptions {
  readonly record: VersionRecord;
  readonly clock: Clock;
  readonly random: Random;
  readonly cache: PredictionCache;
  /** Counted up, for all homes together. */
  readonly lookups: { hits: number; joins: number; misses: number };
  readonly quarantine: Quarantine;
  readonly queueLimitBytes: number;
  readonly mayRetry: (target: ModelVersion) => boolean;
  readonly createBatchPolicy: (context: BatchPolicyContext) => BatchPolicy;
  readonly observer: Partial<EngineObserver>;
}

/** Where the tasks of one model version are looked up, joined, queued, batched and retried, and where its replicas are kept. */
export class VersionHome implements FlightOwner {
  readonly record: VersionRecord;
  readonly target: ModelVersion;
  readonly #options: VersionHomeOptions;
  readonly #hasher: InputHasher;
  readonly #queue: ModelQueue;
  readonly #dispatcher: Dispatcher;
  readonly #slo: RecentSlo;
  readonly #joinable = new JoinableFlights();
  /** What the cache knows it by. */
  readonly #cacheOwner: number;
  #isRetired = false;

  constructor(options: VersionHomeOptions) {
    const { record, clock, random } = options;
    this.record = record;
    this.target = { model: record.model, version: record.version };
    this.#options = options;
    this.#hasher = new InputHasher(random, `${modelVersionKey(record)}:${record.inputType}`);
    this.#cacheOwner = options.cache.newOwner();
    this.#queue = new ModelQueue({ limitBytes: options.queueLimitBytes });
    this.#slo = new RecentSlo(clock);
    this.#dispatcher = new Dispatcher({
      clock,
      queue: this.#queue,
      shed: (flight, beforeMicros, outcome) => this.#shed(flight, beforeMicros, outcome),
      sending: (flights, nowMicros) => this.#tellSent(flights, nowMicros),
    });
  }

  get replicas(): readonly Replica[] {
    return this.#dispatcher.replicas;
  }

  get isReady(): boolean {
    return this.#dispatcher.isReady;
  }

  get isQueueEmpty(): boolean {
    return this.#queue.length === 0;
  }

  submit(task: Task): Promise<Outcome> {
    const { cache, clock, lookups, observer, quarantine } = this.#options;
    const { input } = task;
    const key = this.#hasher.key(input);
    const kept = cache.get(key, this.#cacheOwner, input);
    if (kept !== undefined) {
      lookups.hits++;
      observer.cacheLookup?.(this.target, "hit");
      return this.#done(kept);
    }
    if (task.signal?.aborted) return this.#done(OUTCOMES.aborted);
    const nowMicros = clock.nowMicros();
    this.#slo.note(task.sloMicros, nowMicros);
    const known = this.#joinable.find(key, input);
    if (known !== undefined) {
      lookups.joins++;
      observer.cacheLookup?.(this.target, "join");
      return this.#join(known, task);
    }
    lookups.misses++;
    observer.cacheLookup?.(this.target, "miss");
    if (!this.isReady) return this.#done(OUTCOMES.noReplica);
    const suspicion = quarantine.suspicionOf(key, nowMicros);
    if (suspicion === "quarantined") return this.#done(OUTCOMES.quarantined);
    const bytes = payloadBytes(input);
    const refusal = this.#dispatcher.refusal(bytes, task.deadlineMicros, nowMicros);
    if (refusal !== undefined) {
      observer.shed?.(this.target, "overloaded");
      return this.#done(refusal);
    }
    const flight = new Flight({ owner: this, task, key, bytes });
    flight.isSuspicious = suspicion === "suspicious";
    const waiter = new Waiter(task, flight);
    flight.add(waiter);
    this.#joinable.add(flight);
    this.#enqueue(flight, nowMicros);
    return waiter.promise;
  }

  adopt(replica: Replica): void {
    const { createBatchPolicy } = this.#options;
    this.#dispatcher.add(replica);
    replica.serveWith(
      createBatchPolicy({
        target: this.target,
        batchSize: this.record.batchSize,
        sloMicros: () => this.#slo.micros(),
        ...(this.record.floor === undefined ? {} : { floor: this.record.floor }),
      }),
    );
    this.#dispatcher.dispatchSoon();
  }

  /** Lets a replica go; what it has in hand it still answers. */
  release(replica: Replica): void {
    this.#dispatcher.remove(replica);
    this.dispatch();
  }

  /** Gives free replicas work; with no replica left, what waits is settled at once. */
  dispatch(): void {
    if (this.isReady) this.#dispatcher.dispatch();
    else this.#settleWithoutReplica();
  }

  /** Settles what has waited too long while every replica was busy. */
  dropExpired(): void {
    this.#dispatcher.dropExpired(this.#options.clock.nowMicros());
    this.dispatch();
  }

  /** The version is not registered any more: nothing of it is kept, and what waits is settled. */
  retire(): Replica[] {
    this.#isRetired = true;
    const replicas = [...this.replicas];
    for (const replica of replicas) this.#dispatcher.remove(replica);
    this.#settleWithoutReplica();
    this.#options.cache.removeOf(this.#cacheOwner);
    return replicas;
  }

  finish(flight: Flight, outcome: AttemptOutcome): void {
    const { cache, quarantine } = this.#options;
    if (outcome.ok) {
      quarantine.acquit(flight.key);
      if (!this.#isRetired) cache.put(flight.key, this.#cacheOwner, flight.input, outcome.output);
      this.#settle(flight, { ok: true, output: outcome.output, cached: false });
    } else if (outcome.kind === "expired" || outcome.kind === "cancelled") {
      // Those who wait longer than the one it was sent for may still get an answer.
      this.#retry(flight, OUTCOMES.expired);
    } else {
      quarantine.acquit(flight.key);
      this.#settle(flight, failure(REASON_OF_ERROR[outcome.kind], outcome.message));
    }
  }

  lose(flight: Flight, isBlamed: boolean): void {
    const { clock, mayRetry, quarantine } = this.#options;
    if (isBlamed) {
      const suspicion = quarantine.recordDeath(flight.key, clock.nowMicros());
      flight.isSuspicious = true;
      if (suspicion === "quarantined") {
        this.#settle(flight, OUTCOMES.quarantined);
        return;
      }
    }
    if (mayRetry(this.target)) this.#retry(flight, OUTCOMES.lost);
    else this.#settle(flight, OUTCOMES.lost);
  }

  abandon(flight: Flight, waiter: Waiter): void {
    flight.remove(waiter);
    waiter.settle(OUTCOMES.aborted);
    if (flight.hasWaiters) {
      if (flight.heapIndex >= 0) this.#queue.moved(flight);
      return;
    }
    this.#joinable.remove(flight);
    if (flight.heapIndex >= 0) this.#queue.remove(flight);
    else flight.batch?.replica.link.cancel([flight.attemptId]);
  }

  taskDone(outcome: Outcome): void {
    this.#options.observer.taskDone?.(this.target, outcome);
  }

  inspect(): VersionInspection {
    const { floor } = this.record;
    return {
      ...this.target,
      ...(floor === undefined ? {} : { floor }),
      queueLength: this.#queue.length,
      queueBytes: this.#queue.bytes,
      queueLimitBytes: this.#queue.limitBytes,
      replicas: this.replicas.map((replica) => replica.inspect()),
    };
  }

  #join(flight: Flight, task: Task): Promise<Outcome> {
    const waiter = new Waiter(task, flight);
    flight.add(waiter);
    if (flight.heapIndex >= 0) this.#queue.moved(flight);
    return waiter.promise;
  }

  #enqueue(flight: Flight, nowMicros: number): void {
    flight.queuedMicros = nowMicros;
    this.#queue.push(flight);
    this.#options.observer.taskQueued?.(this.target, this.#queue.length);
    this.#dispatcher.dispatchSoon();
  }

  #tellSent(flights: readonly Flight[], nowMicros: number): void {
    const { observer } = this.#options;
    if (observer.inputSent === undefined) return;
    for (const { queuedMicros } of flights) observer.inputSent(this.target, nowMicros - queuedMicros);
  }

  /** Another replica gets it, for those of its tasks whose time still allows; the others get `outcome`. */
  #retry(flight: Flight, outcome: Outcome): void {
    const nowMicros = this.#options.clock.nowMicros();
    if (flight.retries >= RETRIES || !this.isReady || !this.#queue.hasRoomFor(flight.bytes)) {
      this.#settle(flight, outcome);
      return;
    }
    const estimate = this.#dispatcher.estimateMicros(1) ?? 0;
    flight.settleBefore(Math.max(nowMicros + estimate, nowMicros + 1), outcome);
    if (flight.hasWaiters) {
      flight.retries++;
      this.#enqueue(flight, nowMicros);
    } else {
      this.#joinable.remove(flight);
    }
  }

  /** Those of a queued flight's tasks that end before `beforeMicros` get `outcome`; it goes on for the others. */
  #shed(flight: Flight, beforeMicros: number, outcome: Outcome): void {
    flight.settleBefore(beforeMicros, outcome);
    if (!outcome.ok) this.#options.observer.shed?.(this.target, outcome.error.reason);
    if (flight.hasWaiters) {
      this.#queue.moved(flight);
    } else {
      this.#queue.remove(flight);
      this.#joinable.remove(flight);
    }
  }

  #settleWithoutReplica(): void {
    for (let flight = this.#queue.first; flight !== undefined; flight = this.#queue.first) {
      this.#queue.remove(flight);
      this.#settle(flight, OUTCOMES.noReplica);
    }
  }

  #settle(flight: Flight, outcome: Outcome): void {
    this.#joinable.remove(flight);
    flight.settle(outcome);
  }

  #done(outcome: Outcome): Promise<Outcome> {
    this.taskDone(outcome);
    return Promise.resolve(outcome);
  }
}
