import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AccessRecord } from "./http/server.js";

export interface MetricsOptions {
  readonly watchStreams: () => number;
  readonly frontends: () => number;
  readonly revision: () => number;
  readonly ready: () => boolean;
}

/** What `/metrics` shows. Labels are routes and statuses, never what a caller made up, so that their number is bounded. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<"method" | "route" | "status">;
  readonly #dropped: Counter;

  constructor(options: MetricsOptions) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Histogram({
      name: "clipper_management_request_seconds",
      help: "Time to answer a management request",
      labelNames: ["method", "route", "status"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    });
    this.#dropped = new Counter({
      name: "clipper_management_watch_dropped_total",
      help: "Watch streams dropped because their reader was too slow",
      registers,
    });
    gauge("clipper_management_watch_streams", "Watch streams open", options.watchStreams);
    gauge("clipper_management_frontends", "Query frontends whose lease holds", options.frontends);
    gauge("clipper_management_state_revision", "Revision of the state last read", options.revision);
    gauge("clipper_management_ready", "1 while the state can be read and written", () =>
      options.ready() ? 1 : 0,
    );

    function gauge(name: string, help: string, value: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  answered({ method, route, status, elapsedMs }: AccessRecord): void {
    this.#requests.observe({ method, route: route === "" ? "unknown" : route, status }, elapsedMs / 1_000);
  }

  streamDropped(): void {
    this.#dropped.inc();
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
