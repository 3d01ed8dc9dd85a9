import type { QueryEngine } from "@clipper-serving/serving";
import type { ApplicationRecord } from "@clipper-serving/spec";
import type { Registry } from "prom-client";
import type { EdgeResponse } from "../edge/http-edge.js";
import type { ReadinessGate } from "../readiness.js";

/** A path of the frontend's own. */
export interface SystemRoute {
  /** As metrics name it. */
  readonly name: string;
  answer(): Promise<EdgeResponse>;
}

export interface SystemRoutesOptions {
  readonly engine: QueryEngine;
  readonly readiness: ReadinessGate;
  readonly registry: Registry;
  /** Beside the engine's own inspection. */
  readonly inspect: () => Readonly<Record<string, unknown>>;
}

/** Health, metrics and inspection: under names that no application can have. */
export class SystemRoutes {
  readonly #options: SystemRoutesOptions;
  readonly #routes: ReadonlyMap<string, SystemRoute>;

  constructor(options: SystemRoutesOptions) {
    this.#options = options;
    const alive = async (): Promise<EdgeResponse> => ({ status: 200, body: '{"status":"ok"}' });
    this.#routes = new Map<string, SystemRoute>([
      ["/healthz", { name: "healthz", answer: alive }],
      ["/livez", { name: "livez", answer: alive }],
      ["/readyz", { name: "readyz", answer: async () => this.#ready() }],
      ["/metrics", { name: "metrics", answer: () => this.#metrics() }],
      ["/metrics/inspect", { name: "inspect", answer: async () => this.#inspect() }],
    ]);
  }

  find(path: string): SystemRoute | undefined {
    return this.#routes.get(path);
  }

  /** Whether a query of this application would find a replica now. */
  applicationReady({ name, routes }: ApplicationRecord): EdgeResponse {
    const { engine } = this.#options;
    const serving = engine.serving();
    const isReady = routes.some(({ model, version, mirror }) => {
      const resolved = version === "current" ? serving[model] : version;
      return !mirror && resolved !== undefined && engine.isReady({ model, version: resolved });
    });
    if (isReady) return { status: 200, body: '{"status":"ready"}' };
    const cause = routes.length === 0 ? "no linked model" : "no replica is ready";
    return notReady(`application ${name}: ${cause}`);
  }

  #ready(): EdgeResponse {
    const readiness = this.#options.readiness.check();
    return readiness.isReady ? { status: 200, body: '{"status":"ready"}' } : notReady(readiness.cause);
  }

  async #metrics(): Promise<EdgeResponse> {
    const { registry } = this.#options;
    return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
  }

  #inspect(): EdgeResponse {
    const { engine, inspect } = this.#options;
    return { status: 200, body: JSON.stringify({ ...inspect(), ...engine.inspect() }) };
  }
}

function notReady(cause: string): EdgeResponse {
  return { status: 503, body: JSON.stringify({ status: "not ready", cause }) };
}
