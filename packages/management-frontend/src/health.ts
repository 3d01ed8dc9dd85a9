import type { Route } from "./http/route.js";
import type { Metrics } from "./metrics.js";

export interface HealthRoutesOptions {
  readonly ready: () => boolean;
  readonly metrics: Metrics;
}

/** What platforms and Prometheus ask. `/healthz` and `/readyz` tell nothing but yes or no, because they tell it to anyone. */
export function healthRoutes({ ready, metrics }: HealthRoutesOptions): Route[] {
  return [
    { method: "GET", path: "/healthz", access: "anyone", handle: () => ({ status: 200, body: "ok\n" }) },
    {
      method: "GET",
      path: "/readyz",
      access: "anyone",
      handle: () => (ready() ? { status: 200, body: "ready\n" } : { status: 503, body: "not ready\n" }),
    },
    {
      method: "GET",
      path: "/metrics",
      access: "token-or-loopback",
      handle: async () => ({
        status: 200,
        headers: { "content-type": metrics.contentType },
        body: await metrics.text(),
      }),
    },
  ];
}
