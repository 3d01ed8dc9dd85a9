import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DIGITS, type RunningFrontend, startFrontend } from "./test-support/frontend.js";

/** Each route that takes a body, with one it accepts. */
const ACCEPTED: readonly (readonly [method: string, path: string, body: object])[] = [
  ["POST", "/v1/applications", DIGITS],
  [
    "PUT",
    "/v1/applications/a/routes",
    { routes: [{ model: "m", version: "current", weight: 1, mirror: false }] },
  ],
  ["POST", "/v1/models/m/versions", { version: "1", inputType: "doubles", labels: ["l"], floor: [] }],
  ["PUT", "/v1/models/m/current", { version: "1" }],
  ["PUT", "/v1/workloads/w", { id: "w", instances: 1, operation: "o", spec: { labels: {}, env: {} } }],
  ["PUT", "/v1/workloads/w/instances", { instances: 1 }],
  ["POST", "/v1/operations", { kind: "deploy", target: { model: "m", version: "1" }, contentDigest: "d" }],
  ["PUT", "/v1/operations/o", { phase: "ready", workload: "w" }],
  ["POST", "/v1/operations/o/switch", { version: "1", inputType: "doubles" }],
  ["POST", "/v1/operations/o/finish", { error: { code: "C", message: "m" } }],
  ["PUT", "/v1/frontends/f", { id: "f", url: "", startedAtMs: 0, replicas: [], serving: {} }],
  ["POST", "/admin/add_app", { name: "a", input_type: "i", default_output: "", latency_slo_micros: 1 }],
  ["POST", "/admin/add_model_links", { app_name: "a", model_names: ["m"] }],
  [
    "POST",
    "/admin/add_model",
    {
      model_name: "m",
      model_version: "1",
      labels: [],
      input_type: "i",
      container_name: "c",
      model_data_path: "p",
    },
  ],
  ["POST", "/admin/get_container", { model_name: "m", model_version: "1", replica_id: 0 }],
  ["POST", "/admin/get_all_models", { verbose: true }],
];

let frontend: RunningFrontend;

beforeAll(async () => {
  frontend = await startFrontend();
});

afterAll(() => frontend[Symbol.asyncDispose]());

async function expectHarmless(method: string, path: string, body: string): Promise<void> {
  const answer = await frontend.call(method, path, body, { "content-type": "application/json" });
  expect({ path, body, status: answer.status, text: answer.text }).toMatchObject({
    status: expect.toSatisfy((status: number) => status < 500),
  });
}

describe("bodies nobody meant", { timeout: 60_000 }, () => {
  it("never make a 5xx when a field holds anything", async () => {
    const change = fc.constantFrom(...ACCEPTED).chain(([method, path, body]) =>
      fc.record({
        method: fc.constant(method),
        path: fc.constant(path),
        body: fc
          .tuple(fc.constantFrom(...Object.keys(body), "extra"), fc.jsonValue())
          .map(([key, value]) => JSON.stringify({ ...body, [key]: value })),
      }),
    );
    await fc.assert(
      fc.asyncProperty(change, ({ method, path, body }) => expectHarmless(method, path, body)),
      { numRuns: 400 },
    );
  });

  it("never make a 5xx when they are not JSON at all", async () => {
    const target = fc.constantFrom(...ACCEPTED);
    await fc.assert(
      fc.asyncProperty(target, fc.string({ unit: "binary", maxLength: 200 }), ([method, path], body) =>
        expectHarmless(method, path, body),
      ),
      { numRuns: 200 },
    );
  });
});
