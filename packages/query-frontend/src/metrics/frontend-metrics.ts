import type { EngineObserver } from "@clipper-serving/serving";
import {
  type ApplicationRecord,
  DEFAULT_REASONS,
  type DefaultReason,
  type ModelVersion,
} from "@clipper-serving/spec";
import { BucketHistogram } from "./bucket-histogram.js";

/** What became of the queries of one application. */
export interface ApplicationCounters {
  /** One for each input read, one for each request whose inputs could not be read. */
  accepted: number;
  ok: number;
  /** The caller had gone before there was an answer. */
  cancelled: number;
  readonly defaults: Record<DefaultReason, number>;
  /** By code. */
  readonly clientErrors: Map<string, number>;
  readonly rejected: Map<string, number>;
  readonly latency: BucketHistogram;
}

export interface VersionCounters {
  readonly target: ModelVersion;
  ok: number;
  cached: number;
  /** By reason. */
  readonly failures: Map<string, number>;
  readonly lookups: { hit: number; join: number; miss: number };
  readonly shed: Map<string, number>;
  strays: number;
  /** Of an input, in the engine's queue. */
  readonly queue: BucketHistogram;
  readonly service: BucketHistogram;
  readonly roundTrip: BucketHistogram;
  readonly replicaQueue: BucketHistogram;
  readonly batchSize: BucketHistogram;
}

const MICROS = [
  100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
  5_000_000, 10_000_000,
];
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/**
 * Counts what callers saw: for each application, accepted = ok + default + client_error + rejected + cancelled, and what is under way.
 * Labels are names of records, codes and statuses: what a caller sends never becomes one.
 */
export class FrontendMetrics {
  readonly applications = new Map<string, ApplicationCounters>();
  readonly #models = new Map<string, Map<string, VersionCounters>>();
  /** Written, each with its route and status. */
  readonly answers = new Map<string, { readonly route: string; readonly status: string; count: number }>();
  #lastRecord: ApplicationRecord | undefined;
  #lastApplication: ApplicationCounters | undefined;
  #lastTarget: ModelVersion | undefined;
  #lastVersion: VersionCounters | undefined;

  readonly observer: Partial<EngineObserver> = {
    queryDone: (_prediction, latencyMicros, application) =>
      this.#ofRecord(application).latency.observe(latencyMicros),
    inputSent: (target, waitMicros) => this.#version(target).queue.observe(waitMicros),
    taskDone: (target, outcome) => {
      const version = this.#version(target);
      if (!outcome.ok) add(version.failures, outcome.error.reason);
      else if (outcome.cached) version.cached += 1;
      else version.ok += 1;
    },
    batchDone: ({ target, batchSize, queueMicros, serviceMicros, roundTripMicros }) => {
      const version = this.#version(target);
      version.batchSize.observe(batchSize);
      version.replicaQueue.observe(queueMicros);
      version.service.observe(serviceMicros);
      version.roundTrip.observe(roundTripMicros);
    },
    cacheLookup: (target, result) => {
      this.#version(target).lookups[result] += 1;
    },
    shed: (target, reason) => add(this.#version(target).shed, reason),
    strayOutcome: (target) => {
      this.#version(target).strays += 1;
    },
  };

  /** @param name of an application that exists; "" for requests to none */
  application(name: string): ApplicationCounters {
    let counters = this.applications.get(name);
    if (counters === undefined) {
      counters = {
        accepted: 0,
        ok: 0,
        cancelled: 0,
        defaults: Object.fromEntries(DEFAULT_REASONS.map((reason) => [reason, 0])) as Record<
          DefaultReason,
          number
        >,
        clientErrors: new Map(),
        rejected: new Map(),
        latency: new BucketHistogram(MICROS),
      };
      this.applications.set(name, counters);
    }
    return counters;
  }

  /** A request was answered. @param route one of few */
  answered(route: string, status: number): void {
    const key = status === 200 ? route : `${route} ${status}`;
    const known = this.answers.get(key);
    if (known === undefined) this.answers.set(key, { route, status: String(status), count: 1 });
    else known.count += 1;
  }

  /** Queries were refused: a client's fault, or the frontend's own. */
  refused(counters: ApplicationCounters, code: string, status: number, queries: number): void {
    add(status < 500 ? counters.clientErrors : counters.rejected, code, queries);
  }

  /** Mostly the one asked for last. */
  #ofRecord(record: ApplicationRecord): ApplicationCounters {
    if (this.#lastApplication === undefined || this.#lastRecord !== record) {
      this.#lastRecord = record;
      this.#lastApplication = this.application(record.name);
    }
    return this.#lastApplication;
  }

  #version(target: ModelVersion): VersionCounters {
    if (this.#lastVersion === undefined || this.#lastTarget !== target) {
      this.#lastTarget = target;
      this.#lastVersion = this.#findVersion(target);
    }
    return this.#lastVersion;
  }

  #findVersion(target: ModelVersion): VersionCounters {
    let versions = this.#models.get(target.model);
    if (versions === undefined) {
      versions = new Map();
      this.#models.set(target.model, versions);
    }
    let counters = versions.get(target.version);
    if (counters === undefined) {
      counters = {
        target: { model: target.model, version: target.version },
        ok: 0,
        cached: 0,
        failures: new Map(),
        lookups: { hit: 0, join: 0, miss: 0 },
        shed: new Map(),
        strays: 0,
        queue: new BucketHistogram(MICROS),
        service: new BucketHistogram(MICROS),
        roundTrip: new BucketHistogram(MICROS),
        replicaQueue: new BucketHistogram(MICROS),
        batchSize: new BucketHistogram(SIZES),
      };
      versions.set(target.version, counters);
    }
    return counters;
  }

  /** Each version that ever had a task. */
  *versions(): Iterable<VersionCounters> {
    for (const versions of this.#models.values()) yield* versions.values();
  }
}

function add(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
