import { expect } from "vitest";
import { eventually } from "./eventually.ts";
import { type Ledger, startLoad } from "./ledger-load.ts";
import type { Status, TestCluster } from "./test-cluster.ts";

/** What the command line prints of an error with `-o json`. */
export interface PrintedError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export function errorOf(stderr: string): PrintedError {
  return (JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { error: PrintedError }).error;
}

/** Predictions of `tagged` that go on while something is done, and a while after. */
export async function underLoad(cluster: TestCluster, work: () => Promise<void>): Promise<Ledger> {
  const load = startLoad({ url: cluster.query, app: "tagged", rate: 40, maxMs: 110_000 });
  await eventually("load under way", 5_000, () => load.sent() > 20);
  try {
    await work();
  } finally {
    const sent = load.sent();
    await eventually("more load", 5_000, () => load.sent() > sent + 40);
  }
  return load.stop();
}

/** No request was lost, refused, or answered by a default. */
export function expectUntouched({ failed, defaults, wrong, answered }: Ledger): void {
  expect({ failed, defaults, wrong }).toEqual({ failed: [], defaults: [], wrong: [] });
  expect(answered.length).toBeGreaterThan(50);
}

/** What a cluster remembers, and which replicas it has; not how those are, nor those that are ending just now. */
export function remembered({ applications, models }: Status) {
  return {
    applications,
    models: models.map(({ replicas, ...model }) => ({
      ...model,
      replicas: replicas.filter(({ state }) => state !== "draining").map(({ id }) => id),
    })),
  };
}

/** The next deploy and a rollback do what they should. */
export async function expectDeployable(cluster: TestCluster, version: string): Promise<void> {
  const current = (await cluster.status()).models.find((model) => model.current)?.version;
  await cluster.deploy("tagged.py:v3", { model: "tagged", version });
  const answer = async () => ((await cluster.predict("tagged", [7])).output as { v: string }).v;
  const before = await answer();
  expect(before).toBe("3");
  await cluster.clipper("model", "rollback", "tagged");
  expect(await answer()).not.toBe("3");
  expect((await cluster.status()).models.find((model) => model.current)?.version).toBe(current);
}
