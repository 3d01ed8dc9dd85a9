import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { eventually } from "./eventually.ts";
import { type Ledger, startLoad } from "./ledger-load.ts";
import type { TestCluster } from "./test-cluster.ts";

export interface Refusal {
  readonly status: number;
  readonly code: string | undefined;
  readonly retryAfter: boolean;
}

/** Looks at a cluster's state from outside while what keeps it is ill-treated. */
export class StateWitness {
  readonly #cluster: TestCluster;
  readonly #app: string;

  /** @param app answers doubles with `{ v, id }`, as `tagged` does */
  constructor(cluster: TestCluster, app: string) {
    this.#cluster = cluster;
    this.#app = app;
  }

  management(path: string, init: RequestInit = {}): Promise<Response> {
    const { name, scratch, management } = this.#cluster;
    const token = readFileSync(scratch.path("home", "clusters", name, "secrets", "token"), "utf8");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    return fetch(`${management}${path}`, { ...init, headers });
  }

  async refusal(): Promise<Refusal> {
    const answer = await this.management("/v1/cluster");
    const { code } = (await answer.json()) as { code?: string };
    return { status: answer.status, code, retryAfter: answer.headers.has("retry-after") };
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.#cluster.query}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
  }

  /** A write through management that the query frontend has applied. */
  async register(name: string): Promise<void> {
    const body = JSON.stringify({
      name,
      inputType: "doubles",
      defaultOutput: "-",
      latencySloMicros: 100_000,
    });
    await eventually(
      "a write",
      10_000,
      async () => (await this.management("/v1/applications", { method: "POST", body })).status === 201,
    );
    await eventually("the write at the query frontend", 10_000, async () => {
      const answer = await fetch(`${this.#cluster.query}/${name}/predict`, {
        method: "POST",
        body: '{"input":[1]}',
      });
      await answer.body?.cancel();
      return answer.status === 200;
    });
  }

  /** Predictions go on while something is done: none fails, is wrong or a default. */
  async expectUntouchedBy(work: () => Promise<void>): Promise<void> {
    const load = startLoad({ url: this.#cluster.query, app: this.#app, rate: 50, maxMs: 60_000 });
    await eventually("load under way", 5_000, () => load.sent() > 25);
    try {
      await work();
    } finally {
      const sent = load.sent();
      await eventually("more load", 5_000, () => load.sent() > sent + 25);
    }
    const { failed, defaults, wrong, answered }: Ledger = await load.stop();
    expect({ failed, defaults, wrong }).toEqual({ failed: [], defaults: [], wrong: [] });
    expect(answered.length).toBeGreaterThan(50);
  }
}
