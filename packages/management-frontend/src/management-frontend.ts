import { holdLeases } from "@clipper-serving/control";
import { type Address, type Clock, type StateStore, systemClock } from "@clipper-serving/spec";
import type { Logger } from "pino";
import { AttemptLimiter } from "./access/attempt-limiter.js";
import { createAuthentication } from "./access/authentication.js";
import { clipperRoutes } from "./compat/clipper-compat.js";
import { FrontendRegistry } from "./frontends/frontend-registry.js";
import { healthRoutes } from "./health.js";
import { Guard } from "./http/guard.js";
import { listen } from "./http/listen.js";
import { createHttpServer } from "./http/server.js";
import { Metrics } from "./metrics.js";
import { ClusterState } from "./state/cluster-state.js";
import { checkNotLost } from "./state/lost-state.js";
import { StateUpkeep } from "./state/state-upkeep.js";
import { v1Routes } from "./v1/routes.js";
import { WatchStreams } from "./watch/watch-stream.js";

export interface ManagementFrontendOptions {
  readonly cluster: string;
  /** Of this package; shown in `GET /v1/cluster`. */
  readonly version: string;
  /** Stays open when the frontend stops: whoever opened it closes it. */
  readonly store: StateStore;
  readonly token: string;
  readonly listen: Address;
  /** Take any `Host`: for a listener that others than this machine reach. Default false. */
  readonly anyHost?: boolean;
  /** Answer Clipper's own REST without a token. Default false. */
  readonly clipperWithoutToken?: boolean;
  readonly logger: Logger;
  /**
   * How long after its start the first change of an empty store waits for a query frontend to report, ms: one that serves by another store's state says so, and the
   * change is refused. Default 0.
   */
  readonly firstReportMs?: number;
  /** Default: the platform's. */
  readonly clock?: Clock;
  /** Wall clock, ms since 1970. Default: the platform's. */
  readonly nowMs?: () => number;
  /** Bytes one reader of the watch stream may be behind. Default 8 MiB. */
  readonly maxQueuedBytes?: number;
}

export interface ManagementFrontend extends AsyncDisposable {
  /** Reads the state and listens. @returns where. @throws StoreUnavailableError */
  start(): Promise<Address>;
  /** Answers what has come, ends the watch streams, takes nothing new. May be called twice. */
  stop(): Promise<void>;
}

export function createManagementFrontend(options: ManagementFrontendOptions): ManagementFrontend {
  const { cluster, version, logger, clock = systemClock, nowMs = Date.now, firstReportMs = 0 } = options;
  let phase: "starting" | "serving" | "draining" = "starting";
  const ready = () => phase === "serving" && upkeep.healthy;

  const frontends = new FrontendRegistry({ clock, nowMs });
  let told = Promise.resolve();
  const state = new ClusterState({
    store: options.store,
    checkNotLost: (head) => checkNotLost(head, frontends),
    untilTold: () => told,
  });
  const upkeep = new StateUpkeep({
    state,
    clock,
    nowMs,
    onEnded: ({ id, kind, target, error }) =>
      logger.warn({ operation: id, kind, target, error }, "ended an operation whose caller is gone"),
    onFailed: (error) => logger.error({ err: error }, "the state store cannot be used"),
    onRecovered: () => logger.info("the state store can be used again"),
  });
  const streams = new WatchStreams({
    state,
    clock,
    ...(options.maxQueuedBytes === undefined ? {} : { maxQueuedBytes: options.maxQueuedBytes }),
    onDropped: (queuedBytes) => {
      metrics.streamDropped();
      logger.warn({ queuedBytes }, "dropped a watch stream: its reader is too slow");
    },
  });
  const metrics = new Metrics({
    watchStreams: () => streams.size,
    frontends: () => frontends.live().length,
    revision: () => state.head?.revision ?? 0,
    ready,
  });
  const server = createHttpServer({
    guard: new Guard({
      authentication: createAuthentication({ token: options.token, limiter: new AttemptLimiter({ clock }) }),
      loopbackHostsOnly: !(options.anyHost ?? false),
    }),
    routes: [
      ...healthRoutes({ ready, metrics }),
      ...v1Routes({ cluster, version, state, frontends, streams, nowMs }),
      ...clipperRoutes({ state, frontends, access: options.clipperWithoutToken ? "anyone" : "token" }),
    ],
    draining: () => phase === "draining",
    onAnswered: (record) => {
      metrics.answered(record);
      logger[record.method === "GET" ? "debug" : "info"](record, "answered");
    },
    onFailed: (error, requestId) => logger.error({ err: error, requestId }, "a request failed"),
  });

  return {
    async start() {
      await state.mutate((view) => holdLeases(view, { nowMs: nowMs() }));
      const address = await listen(server, options.listen);
      if (firstReportMs > 0) told = Promise.race([frontends.firstReport, after(clock, firstReportMs)]);
      upkeep.start();
      streams.start();
      phase = "serving";
      if (state.head?.revision === 0) logger.info({ epoch: state.head.epoch }, "the store is new");
      return address;
    },
    async stop() {
      phase = "draining";
      upkeep.stop();
      streams.stop();
      await server.close();
    },
    [Symbol.asyncDispose]() {
      return this.stop();
    },
  };
}

function after(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms * 1_000, resolve);
  });
}
