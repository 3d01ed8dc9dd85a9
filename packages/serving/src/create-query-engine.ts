import type { BatchPolicy, Clock } from "@clipper-serving/spec";
import { AimdBatchPolicy } from "./batching/aimd-batch-policy.js";
import { FixedBatchPolicy } from "./batching/fixed-batch-policy.js";
import { Edge } from "./edge/edge.js";
import { RoutingTable } from "./edge/routing-table.js";
import { LocalBackend } from "./home/local-backend.js";
import type { BatchPolicyContext, QueryEngine, QueryEngineOptions } from "./query-engine.js";
import { selectionPolicies } from "./selection/selection-policies.js";

/** An engine whose edge and home are both in this process. */
export function createQueryEngine(options: QueryEngineOptions): QueryEngine {
  const { clock, random, observer = {} } = options;
  const backend: LocalBackend = new LocalBackend({
    clock,
    random,
    cacheBytes: options.cacheBytes ?? 32 * 1024 * 1024,
    queueBytesPerModel: options.queueBytesPerModel ?? 64 * 1024 * 1024,
    hangLimitMicros: options.hangLimitMicros ?? 30_000_000,
    mayRetry: options.mayRetry ?? (() => true),
    createBatchPolicy: options.createBatchPolicy ?? ((context) => createBatchPolicy(clock, context)),
    observer,
    readinessChanged: () => routing.resolve(),
  });
  const routing = new RoutingTable({
    policies: selectionPolicies(options.policies),
    isReady: (target) => backend.isReady(target),
  });
  const edge = new Edge({ clock, random, backend, routing, observer });

  return {
    apply(state) {
      backend.apply(state.versions);
      routing.apply(state);
    },
    attach: (link) => backend.attach(link),
    application: (name) => routing.application(name)?.record,
    predict: (request) => edge.predict(request),
    replicas: () => backend.replicas(),
    serving: () => routing.serving(),
    isReady: (target) => backend.isReady(target),
    drain: () => edge.drain(),
    inspect: () => ({
      draining: edge.isDraining,
      queriesInFlight: edge.queriesInFlight,
      ...backend.inspect(),
    }),
  };
}

function createBatchPolicy(clock: Clock, { batchSize, sloMicros, floor }: BatchPolicyContext): BatchPolicy {
  return batchSize > 0
    ? new FixedBatchPolicy({ clock, batchSize })
    : new AimdBatchPolicy({ clock, sloMicros, ...(floor === undefined ? {} : { floor }) });
}
