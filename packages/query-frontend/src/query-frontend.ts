import { listenForReplicas, type ReplicaListener } from "@clipper-serving/rpc";
import { createQueryEngine, type QueryEngine } from "@clipper-serving/serving";
import { type Address, type Clock, type FrontendReport, formatAddress } from "@clipper-serving/spec";
import type { Logger } from "pino";
import { Applications } from "./applications.js";
import type { CreateHttpEdge, EdgeLimits, HttpEdge } from "./edge/http-edge.js";
import { DEFAULT_EDGE_LIMITS } from "./edge/http-edge.js";
import { DEFAULT_JSON_LIMITS, type JsonLimits } from "./json/json-limits.js";
import { PredictBodyParser } from "./json/predict-body.js";
import { metricsRegistry } from "./metrics/exposition.js";
import { FrontendMetrics } from "./metrics/frontend-metrics.js";
import { ReadinessGate } from "./readiness.js";
import { CallerGuard, isLoopback } from "./routes/caller-guard.js";
import { PredictRoute } from "./routes/predict-route.js";
import { RequestIds } from "./routes/request-ids.js";
import { Router } from "./routes/router.js";
import { SystemRoutes } from "./routes/system-routes.js";
import { FrontendReporter } from "./state/frontend-reporter.js";
import { ManagementConnection } from "./state/management-connection.js";
import { StateFollower } from "./state/state-follower.js";
import type { WatchTimes } from "./state/state-watch.js";

export interface QueryFrontendOptions {
  /** Names this frontend among others. */
  readonly id: string;
  readonly listen: Address;
  /** Where replicas dial, `unix:/PATH` or `tcp:HOST:PORT`. */
  readonly rpcAddresses: readonly string[];
  /** What replicas prove they know; needed for addresses that are not unix sockets. */
  readonly rpcSecret?: Uint8Array;
  readonly management: { readonly address: Address; readonly token: () => Promise<string> };
  /** Directory of the snapshot; without one, a frontend that starts while management is away has nothing to serve. */
  readonly volume?: string | undefined;
  /** Default 32 MiB. */
  readonly cacheBytes?: number;
  /** Where callers outside reach it; "" leaves it to the address it listens on. */
  readonly publicUrl?: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly createEdge: CreateHttpEdge;
  readonly edgeLimits?: Partial<EdgeLimits>;
  readonly jsonLimits?: Partial<JsonLimits>;
  readonly watchTimes?: Partial<WatchTimes>;
}

export interface RunningAddresses {
  readonly query: Address;
  readonly rpc: readonly string[];
}

/** Longer than this after the last deadline, an answer is not worth waiting for. */
const DRAIN_SLACK_MS = 1_000;

/** HTTP, the engine, replicas and state, put together. */
export class QueryFrontend {
  readonly #options: QueryFrontendOptions;
  readonly #engine: QueryEngine;
  readonly #edge: HttpEdge;
  readonly #readiness: ReadinessGate;
  readonly #management: ManagementConnection;
  readonly #follower: StateFollower;
  readonly #reporter: FrontendReporter;
  readonly #startedAtMs = Date.now();
  #replicas: ReplicaListener | undefined;
  #url = "";
  #stopped: Promise<void> | undefined;

  constructor(options: QueryFrontendOptions) {
    this.#options = options;
    const { clock, log, listen, cacheBytes, publicUrl = "" } = options;
    const metrics = new FrontendMetrics();
    const applications = new Applications(metrics);
    const onUnexpected = (error: unknown, requestId: string) =>
      log.error({ err: error, requestId }, "a request failed unexpectedly");
    this.#engine = createQueryEngine({
      clock,
      random: Math.random,
      ...(cacheBytes === undefined ? {} : { cacheBytes }),
      observer: {
        ...metrics.observer,
        replicaChanged: (replica) => {
          log.info({ replica }, "replica changed");
          this.#reporter.changed();
        },
        replicaGone: (replica, reason) => {
          log.warn({ replica, reason }, "replica gone");
          this.#reporter.changed();
        },
      },
    });
    this.#readiness = new ReadinessGate({ engine: this.#engine, nowMs: () => clock.nowMicros() / 1_000 });
    this.#management = new ManagementConnection(options.management);
    this.#follower = new StateFollower({
      management: this.#management,
      volume: options.volume,
      log,
      ...(options.watchTimes === undefined ? {} : { times: options.watchTimes }),
      onState: (state) => {
        // What the engine cannot serve it says after it has applied all the rest.
        try {
          this.#engine.apply(state);
        } finally {
          applications.apply(state.applications);
          this.#readiness.applied(state);
          this.#reporter.changed();
        }
      },
    });
    this.#reporter = new FrontendReporter({
      management: this.#management,
      report: () => this.#report(),
      snapshot: () => this.#follower.snapshot(),
      onFailed: (error) => log.warn({ err: error }, "reporting to the management frontend failed"),
    });
    const requestIds = new RequestIds();
    const edgeLimits = { ...DEFAULT_EDGE_LIMITS, ...options.edgeLimits };
    const registry = metricsRegistry(metrics, {
      engine: this.#engine,
      connections: () => this.#edge.connections(),
      state: () => this.#follower.inspect(),
    });
    const router = new Router({
      applications,
      guard: new CallerGuard(listen, publicUrl),
      metrics,
      requestIds,
      onUnexpected,
      hasState: () => this.#readiness.hasState,
      system: new SystemRoutes({
        engine: this.#engine,
        readiness: this.#readiness,
        registry,
        inspect: () => this.#inspect(),
      }),
      predict: new PredictRoute({
        engine: this.#engine,
        parser: new PredictBodyParser({ ...DEFAULT_JSON_LIMITS, ...options.jsonLimits }),
        metrics,
        requestIds,
        maxBodyBytes: edgeLimits.maxBodyBytes,
        onUnexpected,
      }),
    });
    this.#edge = options.createEdge({
      address: listen,
      handler: router.handle,
      refuse: (fault) => router.refuse(fault),
      limits: edgeLimits,
    });
  }

  /** Serves what the snapshot says, and follows the state from there. Resolves once it listens. */
  async start(): Promise<RunningAddresses> {
    const { log, rpcAddresses, rpcSecret, clock } = this.#options;
    await this.#follower.restore();
    this.#replicas = await listenForReplicas({
      addresses: rpcAddresses,
      ...(rpcSecret === undefined ? {} : { secret: rpcSecret }),
      clock,
      // Only has to grow from start to start.
      epoch: this.#startedAtMs,
      onLink: (link) => this.#engine.attach(link),
      onRejected: (rejected) => log.warn({ rejected }, "replica rejected"),
    });
    const query = await this.#edge.start();
    this.#url = this.#options.publicUrl || urlOf(query);
    this.#readiness.listening();
    this.#follower.start();
    this.#reporter.start();
    const rpc = this.#replicas.addresses;
    log.info({ query: formatAddress(query), rpc, edge: this.#edge.name }, "listening");
    return { query, rpc };
  }

  /**
   * Takes no new connections, answers what is under way, and stops. May be called twice.
   * @param limitMs longest time for what is under way; default: the longest objective and a second
   */
  stop(limitMs?: number): Promise<void> {
    this.#stopped ??= this.#drainAndStop(limitMs);
    return this.#stopped;
  }

  async #drainAndStop(limitMs: number | undefined): Promise<void> {
    const { log } = this.#options;
    this.#readiness.draining();
    const longestMs = limitMs ?? this.#follower.longestSloMs() + DRAIN_SLACK_MS;
    log.info({ longestMs }, "draining");
    const { promise: timeUp, resolve } = Promise.withResolvers<"timeUp">();
    const timer = setTimeout(() => resolve("timeUp"), longestMs);
    const drained = this.#edge.drain().then(() => this.#engine.drain());
    if ((await Promise.race([drained, timeUp])) === "timeUp") log.warn("gave up on what was under way");
    clearTimeout(timer);
    await Promise.all([
      this.#edge.close(),
      this.#replicas?.close(),
      this.#reporter.stop(),
      this.#follower.stop(),
    ]);
    this.#management.close();
    log.info("stopped");
  }

  #report(): FrontendReport {
    const head = this.#follower.head;
    return {
      id: this.#options.id,
      url: this.#url,
      startedAtMs: this.#startedAtMs,
      ...(head === undefined ? {} : { head }),
      replicas: this.#engine.replicas(),
      serving: this.#engine.serving(),
    };
  }

  #inspect(): Readonly<Record<string, unknown>> {
    return {
      ...this.#report(),
      edge: this.#edge.name,
      connections: this.#edge.connections(),
      readiness: this.#readiness.check(),
      state: this.#follower.inspect(),
    };
  }
}

/** Callers on the same machine reach a loopback address as it is; of any other only the outside knows. */
function urlOf(address: Address): string {
  if (address.kind === "unix" || !isLoopback(address.host)) return "";
  return `http://${formatAddress(address).slice("tcp:".length)}`;
}
