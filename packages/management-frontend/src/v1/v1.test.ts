import { readFile } from "node:fs/promises";
import type { BegunOperation, ClusterView, OperationRecord, Stored } from "@clipper-serving/spec";
import { createMemoryStore } from "@clipper-serving/state";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DIGITS, type RunningFrontend, startFrontend } from "../test-support/frontend.js";

let frontend: RunningFrontend;
let nowMs: number;

beforeEach(async () => {
  nowMs = 1_700_000_000_000;
  frontend = await startFrontend({ nowMs: () => nowMs });
});

afterEach(() => frontend[Symbol.asyncDispose]());

const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  frontend.call(method, path, body, headers);

async function begin(version = "1", contentDigest = "sha256:1"): Promise<BegunOperation> {
  const body = { kind: "deploy", target: { model: "m", version }, contentDigest };
  return (await call("POST", "/v1/operations", body)).json<BegunOperation>();
}

const workload = (id: string, operation: string) => ({
  id,
  instances: 2,
  operation,
  spec: {
    labels: { model: "m" },
    program: { kind: "directory", path: "/srv/m" },
    command: ["run"],
    env: {},
    secrets: ["rpc"],
    resources: {},
    graceMs: 5_000,
  },
});

describe("/v1", () => {
  it("answers every request of the table in the specification, and no other", async () => {
    const source = await readFile(new URL("../../../spec/src/management-api.ts", import.meta.url), "utf8");
    const table = [...source.matchAll(/^ \* \| (`.*?) \|/gm)].flatMap(([, cell]) => requestsIn(cell!));
    expect(table.length).toBeGreaterThan(25);
    const paths = new Set(table.map(({ path }) => path));
    for (const path of paths) {
      const { headers } = await call("PATCH", path.replaceAll(/\{\w+\}/g, "x"));
      const methods = table.filter((request) => request.path === path).map(({ method }) => method);
      expect({ path, methods: headers.allow?.split(", ").sort() }).toEqual({ path, methods: methods.sort() });
    }
  });

  it("gives a record its revision as entity tag, and changes it only under that revision", async () => {
    const created = await call("POST", "/v1/applications", DIGITS);
    expect(created.status).toBe(201);
    expect(created.headers.etag).toBe('"1"');
    await call("POST", "/v1/models/m/versions", { version: "1", inputType: "doubles" });

    const routes = { routes: [{ model: "m", version: "current", weight: 1, mirror: false }] };
    const linked = await call("PUT", "/v1/applications/digits/routes", routes, { "if-match": '"1"' });
    expect(linked.status).toBe(200);
    expect(linked.headers.etag).toBe('"3"');
    const late = await call("PUT", "/v1/applications/digits/routes", routes, { "if-match": '"1"' });
    expect(late.json()).toMatchObject({ code: "PRECONDITION_FAILED", facts: { revision: 3 } });
    expect((await call("GET", "/v1/applications/digits")).json()).toMatchObject({
      ...DIGITS,
      ...routes,
      revision: 3,
    });
    expect((await call("DELETE", "/v1/applications/digits", undefined, { "if-match": "*" })).status).toBe(
      204,
    );
  });

  it("registers versions, moves the current one, and forgets them", async () => {
    for (const version of ["1", "2"]) {
      expect((await call("POST", "/v1/models/m/versions", { version, inputType: "doubles" })).status).toBe(
        201,
      );
    }
    expect((await call("GET", "/v1/models/m")).json()).toMatchObject({
      currentVersion: "2",
      previousVersion: "1",
    });
    expect((await call("PUT", "/v1/models/m/current", { version: "1" })).json()).toMatchObject({
      currentVersion: "1",
    });
    expect((await call("GET", "/v1/models/m/versions")).json<{ items: object[] }>().items).toHaveLength(2);
    expect((await call("DELETE", "/v1/models/m/versions/1")).status).toBe(204);
    expect((await call("GET", "/v1/models/m/versions/1")).status).toBe(404);
    expect((await call("GET", "/v1/models")).json()).toMatchObject({ items: [{ name: "m" }] });
  });

  it("carries a deploy from its beginning to the switch", async () => {
    const { operation, renewEveryMs } = await begin();
    const path = `/v1/operations/${operation!.id}`;
    expect(renewEveryMs).toBeGreaterThan(0);
    expect((await call("PUT", "/v1/workloads/w1", workload("w1", operation!.id))).status).toBe(200);
    expect((await call("PUT", path, { phase: "ready" })).json()).toMatchObject({
      phase: "ready",
      workload: "w1",
    });
    const switched = await call("POST", `${path}/switch`, {
      version: "1",
      inputType: "doubles",
      contentDigest: "sha256:1",
      workload: "w1",
      replicas: 2,
    });
    expect(switched.json()).toMatchObject({ name: "m", currentVersion: "1" });
    expect((await call("GET", path)).json()).toMatchObject({ phase: "done" });
    expect((await call("PUT", "/v1/workloads/w1/instances", { instances: 3 })).json()).toMatchObject({
      instances: 3,
    });

    const again = await call("POST", "/v1/operations", {
      kind: "deploy",
      target: { model: "m", version: "1" },
      contentDigest: "sha256:1",
    });
    expect([again.status, again.json()]).toMatchObject([200, { unchanged: true }]);
    const cluster = (await call("GET", "/v1/cluster")).json<ClusterView>();
    expect(cluster).toMatchObject({
      cluster: "tests",
      store: "memory",
      version: "0.0.0",
      versions: [{ version: "1", workload: "w1", replicas: 3 }],
      workloads: [{ id: "w1" }],
    });
  });

  it("forgets every record of a store that does not go with a volume, and refuses to where it does", async () => {
    const refused = await call("DELETE", "/v1/cluster");
    expect([refused.status, refused.json()]).toMatchObject([409, { code: "CONFLICT" }]);
    expect((await call("GET", "/v1/cluster")).status).toBe(200);

    let isDestroyed = false;
    const memory = createMemoryStore();
    const store = {
      name: memory.name,
      read: () => memory.read(),
      commit: memory.commit.bind(memory),
      since: memory.since.bind(memory),
      destroy: async () => {
        isDestroyed = true;
      },
      [Symbol.asyncDispose]: () => memory[Symbol.asyncDispose](),
    };
    await using outside = await startFrontend({ store });
    expect((await outside.send({ method: "DELETE", path: "/v1/cluster" })).status).toBe(401);
    expect(isDestroyed).toBe(false);
    expect((await outside.call("DELETE", "/v1/cluster")).status).toBe(204);
    expect(isDestroyed).toBe(true);
  });

  it("refuses a second deploy of a version while one runs, and a workload of an operation that has ended", async () => {
    const { operation } = await begin();
    const second = await call("POST", "/v1/operations", {
      kind: "deploy",
      target: { model: "m", version: "1" },
    });
    expect([second.status, second.json()]).toMatchObject([409, { code: "OPERATION_RUNNING" }]);
    const finished = await call("POST", `/v1/operations/${operation!.id}/finish`, {
      error: { code: "CANCELLED", message: "by hand" },
    });
    expect(finished.json()).toMatchObject({ phase: "failed", error: { code: "CANCELLED" } });
    const late = await call("PUT", "/v1/workloads/w1", workload("w1", operation!.id));
    expect([late.status, late.json()]).toMatchObject([409, { code: "OPERATION_ENDED" }]);
  });

  it("removes a workload, also one that is not there", async () => {
    const { operation } = await begin();
    await call("PUT", "/v1/workloads/w1", workload("w1", operation!.id));
    expect((await call("DELETE", "/v1/workloads/w1")).status).toBe(204);
    expect((await call("DELETE", "/v1/workloads/w1")).status).toBe(204);
    expect((await call("GET", "/v1/workloads")).json()).toEqual({ items: [] });
  });

  it("refuses a workload under another id than its own, or with a key nobody knows", async () => {
    const { operation } = await begin();
    const record = workload("w1", operation!.id);
    expect((await call("PUT", "/v1/workloads/w2", record)).status).toBe(400);
    const misspelt = { ...record, spec: { ...record.spec, comand: [] } };
    expect((await call("PUT", "/v1/workloads/w1", misspelt)).json()).toMatchObject({
      code: "UNKNOWN_KEY",
      cause: expect.stringContaining("spec.comand"),
    });
  });

  it("begins an operation once however often it is asked for under one id", async () => {
    const body = {
      id: "op-mine",
      kind: "deploy",
      target: { model: "m", version: "1" },
      contentDigest: "sha256:1",
    };
    const answers = [await call("POST", "/v1/operations", body), await call("POST", "/v1/operations", body)];
    expect(answers.map((answer) => answer.json<BegunOperation>().operation?.id)).toEqual([
      "op-mine",
      "op-mine",
    ]);
    expect((await call("POST", "/v1/operations", { ...body, id: "A b" })).status).toBe(400);
  });

  it("holds leases anew when it starts: nobody could renew while no frontend ran", async () => {
    const { operation } = await begin();
    nowMs += 3_600_000 / 2;
    await using restarted = await startFrontend({ nowMs: () => nowMs, store: frontend.store });
    const path = `/v1/operations/${operation!.id}`;
    const abandoned = { error: { code: "OPERATION_ABANDONED", message: "gone" } };
    expect((await restarted.call("POST", `${path}/finish`, abandoned)).json()).toMatchObject({
      code: "OPERATION_RUNNING",
    });
    nowMs += 10_000;
    expect((await restarted.call("POST", `${path}/finish`, abandoned)).json()).toMatchObject({
      phase: "failed",
    });
  });

  it("ends an operation whose lease has run out when the next deploy comes", async () => {
    const { operation } = await begin();
    await call("PUT", "/v1/workloads/w1", workload("w1", operation!.id));
    nowMs += 3_600_000 / 2;
    expect((await begin()).operation?.id).not.toBe(operation!.id);
    const { items } = (await call("GET", "/v1/operations")).json<{ items: Stored<OperationRecord>[] }>();
    expect(items.find(({ id }) => id === operation!.id)).toMatchObject({ phase: "failed" });
    expect((await call("GET", "/v1/workloads")).json()).toEqual({ items: [] });
  });

  it("gives one of many that race under one revision the change, the others a 412", async () => {
    await call("POST", "/v1/models/m/versions", { version: "1", inputType: "doubles" });
    const { headers } = await call("POST", "/v1/models/m/versions", { version: "2", inputType: "doubles" });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        call(
          "PUT",
          "/v1/models/m/current",
          { version: at % 2 === 0 ? "1" : "2" },
          { "if-match": headers.etag! },
        ),
      ),
    );
    const changed = answers.filter(
      ({ headers: after }) => after.etag !== headers.etag && after.etag !== undefined,
    );
    expect(changed).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  });
});

describe("frontends", () => {
  const report = (id: string, url = "http://127.0.0.1:1337") => ({
    id,
    url,
    startedAtMs: 1,
    replicas: [
      { model: "m", version: "1", replicaId: "r1", incarnation: "i", bundleDigest: "", state: "ready" },
    ],
    serving: { m: "1" },
    later: "a newer frontend may tell more",
  });

  it("are shown with their replicas while their lease holds", async () => {
    const { status, json } = await call("PUT", "/v1/frontends/f1", report("f1"));
    expect([status, json()]).toEqual([200, { leaseMs: 5_000 }]);
    expect((await call("GET", "/v1/frontends")).json()).toMatchObject({
      items: [{ id: "f1", serving: { m: "1" }, lastSeenMs: nowMs }],
    });
    expect((await call("GET", "/v1/replicas")).json()).toMatchObject({
      items: [{ replicaId: "r1", frontend: "f1", state: "ready" }],
    });
  });

  it("are targets of Prometheus when they can be reached", async () => {
    await call("PUT", "/v1/frontends/f1", report("f1"));
    await call("PUT", "/v1/frontends/f2", report("f2", ""));
    expect((await call("GET", "/v1/prometheus/targets")).json()).toEqual([
      {
        targets: ["127.0.0.1:1337"],
        labels: { __scheme__: "http", clipper_cluster: "tests", clipper_frontend: "f1" },
      },
    ]);
  });

  it("report under their own id", async () => {
    expect((await call("PUT", "/v1/frontends/f2", report("f1"))).status).toBe(400);
  });
});

describe("metrics", () => {
  it("count requests by route, never by what a caller made up", async () => {
    await call("GET", "/v1/applications/secret-name");
    await call("GET", "/v1/made-up");
    const { text } = await frontend.send({ path: "/metrics" });
    expect(text).toMatch(
      /request_seconds_count\{method="GET",route="\/v1\/applications\/\{name\}",status="404"\} 1/,
    );
    expect(text).toContain('route="unknown",status="404"');
    expect(text).not.toContain("secret-name");
    expect(text).toContain("clipper_management_ready 1");
  });
});

interface TableRequest {
  readonly method: string;
  readonly path: string;
}

/** The requests in one cell of the table: `GET /v1/a` · `GET /v1/a/{b}` · `…/{c}` goes on from the one before. */
function requestsIn(cell: string): TableRequest[] {
  const requests: TableRequest[] = [];
  for (const [, text] of cell.matchAll(/`([^`]+)`/g)) {
    const [first, rest] = text!.split(" ");
    const before = requests.at(-1);
    if (rest !== undefined) requests.push({ method: first!, path: rest.replace(/\?.*/, "") });
    else if (before !== undefined)
      requests.push({ method: before.method, path: before.path + first!.slice(1) });
  }
  return requests;
}
