import type {
  BatchPolicy,
  Clock,
  ModelBackend,
  ModelVersion,
  Outcome,
  Random,
  ReplicaLink,
  ReplicaReport,
  Task,
  VersionRecord,
} from "@clipper-serving/spec";
import { PredictionCache } from "../cache/prediction-cache.js";
import type { EngineObserver } from "../engine-observer.js";
import type { EngineInspection } from "../inspection.js";
import type { BatchPolicyContext } from "../query-engine.js";
import type { Batch } from "./batch.js";
import { OUTCOMES } from "./outcomes.js";
import { Quarantine } from "./quarantine.js";
import { Replica, type ReplicaKeeper } from "./replica.js";
import { VersionHome } from "./version-home.js";

export interface LocalBackendOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly cacheBytes: number;
  readonly queueBytesPerModel: number;
  readonly hangLimitMicros: number;
  readonly mayRetry: (target: ModelVersion) => boolean;
  readonly createBatchPolicy: (context: BatchPolicyContext) => BatchPolicy;
  readonly observer: Partial<EngineObserver>;
  /** A version may have got its first replica, or lost its last. */
  readonly readinessChanged: () => void;
}

/** Between looks at what hangs or has waited too long, µs; only while there is work. */
const WATCH_MICROS = 100_000;

/** The home of every model version, in this process. */
export class LocalBackend implements ModelBackend, ReplicaKeeper {
  readonly #options: LocalBackendOptions;
  readonly #cache: PredictionCache;
  readonly #quarantine = new Quarantine();
  readonly #homes = new Map<string, Map<string, VersionHome>>();
  /** Every connected replica, and the home it works for; undefined: parked. */
  readonly #replicas = new Map<Replica, VersionHome | undefined>();
  readonly #watch = (): void => this.#watchAll();
  readonly #lookups = { hits: 0, joins: 0, misses: 0 };
  readonly #observer: Partial<EngineObserver>;
  #isWatching = false;

  constructor(options: LocalBackendOptions) {
    this.#options = options;
    this.#cache = new PredictionCache(options.cacheBytes);
    this.#observer = options.observer;
  }

  submit(task: Task): Promise<Outcome> {
    const home = this.#homeOf(task.target);
    if (home === undefined) return Promise.resolve(OUTCOMES.notRegistered);
    if (!this.#isWatching) {
      this.#isWatching = true;
      this.#options.clock.after(WATCH_MICROS, this.#watch);
    }
    return home.submit(task);
  }

  isReady(target: ModelVersion): boolean {
    return this.#homeOf(target)?.isReady ?? false;
  }

  /** Replaces the versions it is home to. */
  apply(versions: readonly VersionRecord[]): void {
    const wanted = new Map<string, Map<string, VersionRecord>>();
    for (const record of versions) inner(wanted, record.model).set(record.version, record);
    for (const [model, homes] of this.#homes) {
      for (const [version, home] of homes) {
        if (isSameContent(home.record, wanted.get(model)?.get(version))) continue;
        homes.delete(version);
        for (const replica of home.retire()) this.#park(replica);
      }
      if (homes.size === 0) this.#homes.delete(model);
    }
    for (const record of versions) {
      const homes = inner(this.#homes, record.model);
      if (!homes.has(record.version)) homes.set(record.version, this.#createHome(record));
    }
    for (const [replica, home] of [...this.#replicas]) if (home === undefined) this.#place(replica);
    this.#options.readinessChanged();
  }

  attach(link: ReplicaLink): void {
    const { replicaId } = link.identity;
    const replica = new Replica({ link, clock: this.#options.clock, keeper: this });
    for (const other of [...this.#replicas.keys()]) {
      // An id is given to one process at a time: the older link is one whose end was not noticed yet.
      if (other.link.identity.replicaId === replicaId) other.link.close("its replica connected anew");
    }
    this.#replicas.set(replica, undefined);
    link.listen({
      result: (result) => replica.result(result),
      beat: (ageMicros) => replica.beat(ageMicros),
      draining: () => replica.draining(),
      close: (reason) => replica.close(reason),
    });
    if (!this.#replicas.has(replica)) return;
    this.#place(replica);
    if (this.#replicas.get(replica) === undefined) this.stateChanged(replica);
    this.#options.readinessChanged();
  }

  replicas(): ReplicaReport[] {
    return [...this.#replicas.keys()].map((replica) => replica.report());
  }

  inspect(): Pick<EngineInspection, "cache" | "quarantinedInputs" | "versions"> {
    return {
      cache: {
        entries: this.#cache.size,
        bytes: this.#cache.bytes,
        limitBytes: this.#cache.limitBytes,
        ...this.#lookups,
      },
      quarantinedInputs: this.#quarantine.countQuarantined(this.#options.clock.nowMicros()),
      versions: [...this.#homes.values()].flatMap((homes) =>
        [...homes.values()].map((home) => home.inspect()),
      ),
    };
  }

  progressed(replica: Replica): void {
    this.#replicas.get(replica)?.dispatch();
  }

  batchDone(replica: Replica, batch: Batch, roundTripMicros: number): void {
    if (this.#observer.batchDone === undefined) return;
    const { model, version, replicaId } = replica.link.identity;
    const { queueMicros, serviceMicros, size } = batch;
    this.#observer.batchDone({
      target: { model, version },
      replicaId,
      batchSize: size,
      queueMicros,
      serviceMicros,
      roundTripMicros,
    });
  }

  strayOutcome(replica: Replica): void {
    this.#observer.strayOutcome?.(replica.link.identity, replica.link.identity.replicaId);
  }

  stateChanged(replica: Replica): void {
    this.#observer.replicaChanged?.(replica.report());
    if (replica.isReady) return;
    this.#replicas.get(replica)?.dispatch();
    this.#options.readinessChanged();
  }

  gone(replica: Replica, reason: string): void {
    const home = this.#replicas.get(replica);
    this.#replicas.delete(replica);
    home?.release(replica);
    this.#observer.replicaGone?.(replica.report(), reason);
    this.#options.readinessChanged();
  }

  #createHome(record: VersionRecord): VersionHome {
    const { clock, random, queueBytesPerModel, mayRetry, createBatchPolicy } = this.#options;
    return new VersionHome({
      record,
      clock,
      random,
      cache: this.#cache,
      lookups: this.#lookups,
      quarantine: this.#quarantine,
      queueLimitBytes: queueBytesPerModel,
      mayRetry,
      createBatchPolicy,
      observer: this.#observer,
    });
  }

  #homeOf({ model, version }: ModelVersion): VersionHome | undefined {
    return this.#homes.get(model)?.get(version);
  }

  #place(replica: Replica): void {
    const { identity } = replica.link;
    const home = this.#homeOf(identity);
    if (home === undefined || !isOf(identity, home.record)) return;
    this.#replicas.set(replica, home);
    home.adopt(replica);
  }

  #park(replica: Replica): void {
    this.#replicas.set(replica, undefined);
    replica.serveWith(undefined);
  }

  #watchAll(): void {
    const nowMicros = this.#options.clock.nowMicros();
    for (const replica of [...this.#replicas.keys()]) {
      replica.watch(nowMicros, this.#options.hangLimitMicros);
    }
    let isBusy = [...this.#replicas.keys()].some((replica) => !replica.isIdle);
    for (const homes of this.#homes.values()) {
      for (const home of homes.values()) {
        home.dropExpired();
        isBusy ||= !home.isQueueEmpty;
      }
    }
    this.#isWatching = isBusy;
    if (isBusy) this.#options.clock.after(WATCH_MICROS, this.#watch);
  }
}

/** Whether a version is still what it was: one removed and registered anew under its name is another. */
function isSameContent(known: VersionRecord, wanted: VersionRecord | undefined): boolean {
  return (
    wanted !== undefined &&
    known.contentDigest === wanted.contentDigest &&
    known.bundleDigest === wanted.bundleDigest &&
    known.inputType === wanted.inputType &&
    known.batchSize === wanted.batchSize
  );
}

/** Whether a replica serves what was registered: a version never changes what it is. */
function isOf(
  { inputType, bundleDigest }: { inputType: string; bundleDigest: string },
  record: VersionRecord,
): boolean {
  if (inputType !== record.inputType) return false;
  return bundleDigest === "" || record.bundleDigest === "" || bundleDigest === record.bundleDigest;
}

function inner<Value>(maps: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  const map = maps.get(key) ?? new Map<string, Value>();
  maps.set(key, map);
  return map;
}
