import type { QueryEngine } from "@clipper-serving/serving";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { BucketHistogram } from "./bucket-histogram.js";
import type { FrontendMetrics, VersionCounters } from "./frontend-metrics.js";
import { registerHistogram, registerSampled } from "./sampled-metric.js";

const SECONDS = 1e-6;

/** What is told besides the engine's own numbers. */
export interface MetricsSources {
  readonly engine: QueryEngine;
  readonly connections: () => number;
  readonly state: () => { revision: number; regressions: number; connected: boolean };
}

/** @returns a registry that shows everything that is counted, in Prometheus' text form */
export function metricsRegistry(metrics: FrontendMetrics, sources: MetricsSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  registerQueries(registry, metrics);
  registerVersions(registry, metrics);
  registerGauges(registry, sources);
  return registry;
}

function registerQueries(registry: Registry, { applications: apps, answers }: FrontendMetrics): void {
  registerSampled(registry, {
    name: "clipper_queries_accepted_total",
    help: "Queries that came: inputs read, and requests whose inputs could not be read",
    type: "counter",
    *samples() {
      for (const [application, { accepted }] of apps) yield [{ application }, accepted];
    },
  });
  registerSampled(registry, {
    name: "clipper_queries_total",
    help: "Queries by what their callers saw",
    type: "counter",
    *samples() {
      for (const [application, counters] of apps) {
        yield [{ application, outcome: "ok" }, counters.ok];
        yield [{ application, outcome: "default" }, sum(Object.values(counters.defaults))];
        yield [{ application, outcome: "client_error" }, sum(counters.clientErrors.values())];
        yield [{ application, outcome: "rejected" }, sum(counters.rejected.values())];
        yield [{ application, outcome: "cancelled" }, counters.cancelled];
      }
    },
  });
  registerSampled(registry, {
    name: "clipper_default_answers_total",
    help: "Default outputs given, by reason",
    type: "counter",
    *samples() {
      for (const [application, { defaults }] of apps) {
        for (const [reason, count] of Object.entries(defaults)) yield [{ application, reason }, count];
      }
    },
  });
  registerSampled(registry, {
    name: "clipper_refused_queries_total",
    help: "Queries refused with an error, by its code",
    type: "counter",
    *samples() {
      for (const [application, { clientErrors, rejected }] of apps) {
        for (const [code, count] of [...clientErrors, ...rejected]) yield [{ application, code }, count];
      }
    },
  });
  registerSampled(registry, {
    name: "clipper_http_answers_total",
    help: "HTTP answers written, by route and status",
    type: "counter",
    *samples() {
      for (const { route, status, count } of answers.values()) yield [{ route, status }, count];
    },
  });
  registerHistogram(registry, {
    name: "clipper_query_duration_seconds",
    help: "From a query's parsing to its settling",
    scale: SECONDS,
    *samples() {
      for (const [application, { latency }] of apps) if (application !== "") yield [{ application }, latency];
    },
  });
}

function registerVersions(registry: Registry, metrics: FrontendMetrics): void {
  registerSampled(registry, {
    name: "clipper_tasks_total",
    help: "Tasks of a model version by outcome",
    type: "counter",
    *samples() {
      for (const { target, ok, cached, failures } of metrics.versions()) {
        yield [{ ...target, outcome: "ok" }, ok];
        yield [{ ...target, outcome: "cached" }, cached];
        for (const [outcome, count] of failures) yield [{ ...target, outcome }, count];
      }
    },
  });
  registerSampled(registry, {
    name: "clipper_cache_lookups_total",
    help: "Lookups in the prediction cache by result",
    type: "counter",
    *samples() {
      for (const { target, lookups } of metrics.versions()) {
        for (const [result, count] of Object.entries(lookups)) yield [{ ...target, result }, count];
      }
    },
  });
  registerSampled(registry, {
    name: "clipper_shed_tasks_total",
    help: "Tasks given up before they reached a replica",
    type: "counter",
    *samples() {
      for (const { target, shed } of metrics.versions()) {
        for (const [reason, count] of shed) yield [{ ...target, reason }, count];
      }
    },
  });
  registerSampled(registry, {
    name: "clipper_stray_outcomes_total",
    help: "Outcomes replicas told of what they were not asked",
    type: "counter",
    *samples() {
      for (const { target, strays } of metrics.versions()) yield [{ ...target }, strays];
    },
  });
  const versionHistogram = (
    name: string,
    help: string,
    scale: number,
    of: (version: VersionCounters) => BucketHistogram,
  ) =>
    registerHistogram(registry, {
      name,
      help,
      scale,
      *samples() {
        for (const version of metrics.versions()) yield [{ ...version.target }, of(version)];
      },
    });
  versionHistogram("clipper_batch_size", "Inputs of a batch", 1, ({ batchSize }) => batchSize);
  versionHistogram(
    "clipper_queue_duration_seconds",
    "Of an input, from joining the queue to being sent to a replica",
    SECONDS,
    ({ queue }) => queue,
  );
  versionHistogram(
    "clipper_service_duration_seconds",
    "Of a batch, inside the function",
    SECONDS,
    ({ service }) => service,
  );
  versionHistogram(
    "clipper_replica_queue_duration_seconds",
    "Of a batch, in the replica before the function was called",
    SECONDS,
    ({ replicaQueue }) => replicaQueue,
  );
  versionHistogram(
    "clipper_batch_duration_seconds",
    "Of a batch, from sending it to the last of its outcomes",
    SECONDS,
    ({ roundTrip }) => roundTrip,
  );
}

function registerGauges(registry: Registry, { engine, connections, state }: MetricsSources): void {
  const gauge = (name: string, help: string, value: () => number) =>
    registerSampled(registry, { name, help, type: "gauge", samples: () => [[{}, value()]] });
  gauge("clipper_connections", "Open connections of callers", connections);
  gauge("clipper_queries_in_flight", "Queries under way", () => engine.inspect().queriesInFlight);
  gauge("clipper_cache_bytes", "Bytes in the prediction cache", () => engine.inspect().cache.bytes);
  gauge("clipper_state_revision", "Revision of the state served by", () => state().revision);
  gauge("clipper_management_connected", "1 while the state is streamed", () => (state().connected ? 1 : 0));
  registerSampled(registry, {
    name: "clipper_state_regressions_total",
    help: "States refused because they had lost something",
    type: "counter",
    samples: () => [[{}, state().regressions]],
  });
  registerSampled(registry, {
    name: "clipper_queue_length",
    help: "Tasks waiting for a replica",
    type: "gauge",
    *samples() {
      for (const { model, version, queueLength } of engine.inspect().versions) {
        yield [{ model, version }, queueLength];
      }
    },
  });
  registerSampled(registry, {
    name: "clipper_queue_bytes",
    help: "Bytes of the inputs waiting for a replica",
    type: "gauge",
    *samples() {
      for (const { model, version, queueBytes } of engine.inspect().versions) {
        yield [{ model, version }, queueBytes];
      }
    },
  });
  registerSampled(registry, {
    name: "clipper_replicas",
    help: "Connected replicas by state",
    type: "gauge",
    *samples() {
      const counts = new Map<string, { model: string; version: string; state: string; count: number }>();
      for (const { model, version, state: replicaState } of engine.replicas()) {
        const key = `${model}:${version}:${replicaState}`;
        const known = counts.get(key) ?? { model, version, state: replicaState, count: 0 };
        known.count += 1;
        counts.set(key, known);
      }
      for (const { count, ...labels } of counts.values()) yield [labels, count];
    },
  });
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
