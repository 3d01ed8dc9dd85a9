import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answering, FrontendHarness, sumDoubles } from "./test-support/frontend-harness.js";
import { applicationRecord, put, versionRecord } from "./test-support/records.js";

let harness: FrontendHarness;

beforeEach(async () => {
  harness = await FrontendHarness.start();
});

afterEach(() => harness[Symbol.asyncDispose]());

describe("a prediction over HTTP", () => {
  it("comes from a replica, in Clipper's form", async () => {
    await harness.serve(sumDoubles);
    const answer = await harness.call("POST", "/a/predict", { body: '{"input":[1,2.5]}' });
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('{"query_id":0,"output":3.5,"default":false}');
    expect(answer.headers).toMatchObject({ "content-type": "application/json" });
    expect((await harness.call("POST", "/a/predict/", { body: '{"input":[2]}' })).body).toContain(
      '"output":2,',
    );
    expect((await harness.call("POST", "/%61/predict?x=1", { body: '{"input":[3]}' })).body).toContain(
      '"output":3,',
    );
  });

  it("answers a batch in order, each input a query of its own, a batch of one too", async () => {
    await harness.serve(sumDoubles);
    const { body } = await harness.predict({ input_batch: [[1], [2], [3, 4]] });
    expect(body).toEqual({
      batch_predictions: [1, 2, 7].map((output, id) => ({ query_id: id, output, default: false })),
    });
    expect((await harness.predict({ input_batch: [[5]] })).body).toEqual({
      batch_predictions: [{ query_id: 3, output: 5, default: false }],
    });
  });

  it.each([
    ["integers", "[-1, 2147483647]", Buffer.from(new Int32Array([-1, 2147483647]).buffer)],
    ["floats", "[0.5, 1]", Buffer.from(new Float32Array([0.5, 1]).buffer)],
    ["doubles", "[0.1, 1]", Buffer.from(new Float64Array([0.1, 1]).buffer)],
    ["strings", '"h\\u00e9\\u0000"', Buffer.from("hé\0")],
    ["bytes", '"AP8="', Buffer.from([0, 255])],
  ] as const)("hands %s to the model as their bytes", async (inputType, json, bytes) => {
    await harness.serve((input) => `0x${input.toString("hex")}`, { inputType });
    const { body } = await harness.predict(`{"input":${json}}`);
    expect(body.output).toBe(`0x${bytes.toString("hex")}`);
  });

  it("asks the version a caller insists on", async () => {
    await harness.serve(() => "one");
    harness.management.commit(put.version(versionRecord("m", "2")));
    harness.replica({ model: "m", version: "2", handler: answering(() => "two") });
    await expect
      .poll(async () => (await harness.predict({ input: [1], version: "2" })).body.output)
      .toBe("two");
    expect((await harness.predict({ input: [9] })).body.output).toBe("one");
    const unknown = await harness.predict({ input: [1], version: "3" });
    expect(unknown).toMatchObject({
      status: 400,
      body: {
        error: "Query processing error",
        cause: "Requested version: 3 does not exist for model: m",
        code: "UNKNOWN_VERSION",
      },
    });
  });

  it("gives the default at once, and says why, when nothing can answer", async () => {
    harness.management.commit(put.application(applicationRecord("unlinked", { defaultOutput: "none yet" })));
    harness.management.commit(
      put.application(applicationRecord("alone", { model: "m" })),
      put.model("m", "1"),
      put.version(versionRecord("m", "1")),
    );
    await expect.poll(async () => (await harness.predict({ input: [1] }, "alone")).status).toBe(200);
    expect((await harness.predict({ input: [1] }, "unlinked")).body).toEqual({
      query_id: expect.any(Number),
      output: "none yet",
      default: true,
      default_explanation: "No connected models found for query",
      default_reason: "no_link",
    });
    expect((await harness.predict({ input: [1] }, "alone")).body).toMatchObject({
      output: -1.0,
      default_reason: "no_replica",
    });
  });

  it("gives the default by the deadline, and keeps Clipper's words for it", async () => {
    harness.management.commit(
      put.application(applicationRecord("a", { model: "m", latencySloMicros: 30_000 })),
      put.model("m", "1"),
      put.version(versionRecord("m", "1")),
    );
    harness.replica({ model: "m", version: "1", handler: () => new Promise(() => undefined) });
    await harness.until("/a/readyz", 200);
    expect((await harness.predict({ input: [1] })).body).toMatchObject({
      default: true,
      default_explanation: "Failed to retrieve a prediction response within the specified latency SLO",
      default_reason: "deadline",
    });
  });

  it("passes on request id and trace, and gives every answer an id", async () => {
    const seen: (string | undefined)[] = [];
    await harness.serve(sumDoubles);
    harness.management.commit(
      put.application(applicationRecord("b", { model: "n" })),
      put.model("n", "1"),
      put.version(versionRecord("n", "1")),
    );
    harness.replica({
      model: "n",
      version: "1",
      handler: answering((_input, { requestId, trace }) => {
        seen.push(requestId, trace);
        return "1";
      }),
    });
    await harness.until("/b/readyz", 200);
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const answer = await harness.call("POST", "/b/predict", {
      body: '{"input":[1]}',
      headers: { "x-request-id": "mine-1", traceparent },
    });
    expect(answer.headers["x-request-id"]).toBe("mine-1");
    expect(seen).toEqual(["mine-1", traceparent]);
    for (const hostile of ["a\x1b[31m", "x".repeat(10_000), "a b"]) {
      const replaced = await harness.call("POST", "/b/predict", {
        body: "{}",
        headers: { "x-request-id": hostile },
      });
      expect(replaced.headers["x-request-id"]).toMatch(/^[0-9a-f]{12}-/);
      expect(JSON.parse(replaced.body).request_id).toBe(replaced.headers["x-request-id"]);
    }
  });

  it("moves with the state: a new application is found, a deleted one is not", async () => {
    expect((await harness.predict({ input: [1] }, "late")).status).toBe(404);
    harness.management.commit(put.application(applicationRecord("late")));
    await expect.poll(async () => (await harness.predict({ input: [1] }, "late")).status).toBe(200);
    harness.management.commit({ kind: "application", key: "late" });
    await expect.poll(async () => (await harness.predict({ input: [1] }, "late")).status).toBe(404);
  });
});

const JSON_TYPE = { "content-type": "application/json" };
const SMALL = '{"input":[1]}';

interface Row {
  readonly what: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly status: number;
  readonly code?: string;
}

/** The rows of the catalogue that need more than an edge and more than a body. */
const CATALOGUE: readonly Row[] = [
  { what: "P01 GET", method: "GET", status: 405, code: "METHOD_NOT_ALLOWED" },
  { what: "P02 PUT", method: "PUT", status: 405, code: "METHOD_NOT_ALLOWED" },
  { what: "P02 PATCH", method: "PATCH", status: 405, code: "METHOD_NOT_ALLOWED" },
  { what: "P02 DELETE", method: "DELETE", status: 405, code: "METHOD_NOT_ALLOWED" },
  { what: "P03 unknown app", path: "/nobody/predict", status: 404, code: "UNKNOWN_APP" },
  { what: "P05 encoded dots", path: "/%2e%2e/predict", status: 404, code: "UNKNOWN_APP" },
  { what: "P05 no name", path: "//predict", status: 404, code: "UNKNOWN_APP" },
  { what: "P05 dots", path: "/a/../b/predict", status: 404, code: "NOT_FOUND" },
  { what: "P06 a broken escape", path: "/%zz/predict", status: 400, code: "BAD_URL" },
  { what: "P07 an encoded NUL", path: "/a%00/predict", status: 400, code: "BAD_URL" },
  { what: "P08 a long path", path: `/${"a".repeat(9_000)}/predict`, status: 414, code: "URL_TOO_LONG" },
  { what: "P09 a large header", headers: { x: "a".repeat(20_000) }, status: 431, code: "HEADERS_TOO_LARGE" },
  { what: "P20 OPTIONS", method: "OPTIONS", status: 405, code: "METHOD_NOT_ALLOWED" },
  { what: "P29 gzip", headers: { "content-encoding": "gzip" }, body: gzipSync(SMALL), status: 200 },
  {
    what: "P30 a gzip bomb by size",
    headers: { "content-encoding": "gzip" },
    body: gzipSync(Buffer.alloc(9 * 1024 * 1024, " ")),
    status: 413,
    code: "BODY_TOO_LARGE",
  },
  {
    what: "P30 a gzip bomb by ratio",
    headers: { "content-encoding": "gzip" },
    body: gzipSync(Buffer.alloc(3 * 1024 * 1024, " ")),
    status: 413,
    code: "BODY_TOO_LARGE",
  },
  {
    what: "P31 broken gzip",
    headers: { "content-encoding": "gzip" },
    body: "not gzip",
    status: 400,
    code: "BAD_ENCODING",
  },
  {
    what: "P31 gzip cut short",
    headers: { "content-encoding": "gzip" },
    body: gzipSync(SMALL).subarray(0, 20),
    status: 400,
    code: "BAD_ENCODING",
  },
  {
    what: "P32 br",
    headers: { "content-encoding": "br" },
    body: SMALL,
    status: 415,
    code: "UNSUPPORTED_ENCODING",
  },
  {
    what: "P32 deflate",
    headers: { "content-encoding": "deflate" },
    status: 415,
    code: "UNSUPPORTED_ENCODING",
  },
  {
    what: "P32 gzip twice",
    headers: { "content-encoding": "gzip, gzip" },
    status: 415,
    code: "UNSUPPORTED_ENCODING",
  },
  {
    what: "P33 utf-16",
    headers: { "content-type": "application/json; charset=utf-16" },
    body: SMALL,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    what: "P33 latin1",
    headers: { "content-type": "application/json;charset=iso-8859-1" },
    body: SMALL,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    what: "utf-8 said aloud",
    headers: { "content-type": 'application/json; charset="UTF-8"' },
    body: SMALL,
    status: 200,
  },
  { what: "P35 a byte order mark", body: `\ufeff${SMALL}`, status: 200 },
  {
    what: "P36 XML",
    headers: { "content-type": "text/xml" },
    body: SMALL,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    what: "P36 multipart",
    headers: { "content-type": "multipart/form-data; boundary=x" },
    body: SMALL,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    what: "P37 curl's form type",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: SMALL,
    status: 200,
  },
  {
    what: "P37 fetch's type of a string",
    headers: { "content-type": "text/plain;charset=UTF-8" },
    body: SMALL,
    status: 200,
  },
  {
    what: "P37 text from a page",
    headers: { "content-type": "text/plain", origin: "http://localhost" },
    body: SMALL,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    what: "P37 a form from a page",
    headers: { "content-type": "application/x-www-form-urlencoded", origin: "http://localhost" },
    body: SMALL,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  { what: "P37 no type", body: SMALL, status: 200 },
  { what: "P41 no body", status: 400, code: "EMPTY_BODY" },
  { what: "P42 half a body", body: "{", status: 400, code: "BAD_JSON" },
  { what: "P49 another key", body: '{"input":[1],"uid":7}', status: 200 },
  { what: "P57 integers for doubles", body: '{"input":[1,2]}', status: 200 },
  { what: "P58 null", body: '{"input":[null]}', status: 400, code: "TYPE" },
  {
    what: "P62 a batch of 4,097",
    body: `{"input_batch":[${"[1],".repeat(4_096)}[1]]}`,
    status: 413,
    code: "BATCH_TOO_LARGE",
  },
  { what: "P63 a ragged batch", body: '{"input_batch":[[1],[2,3]]}', status: 200 },
  { what: "P71 a number for the version", body: '{"input":[1],"version":1}', status: 400, code: "TYPE" },
  {
    what: "P72 an unknown version",
    body: '{"input":[1],"version":"9"}',
    status: 400,
    code: "UNKNOWN_VERSION",
  },
  {
    what: "P73 a version without a link",
    path: "/unlinked/predict",
    body: '{"input":[1],"version":"1"}',
    status: 400,
    code: "NO_LINKED_MODEL",
  },
  {
    what: "P75 __proto__ for the version",
    body: '{"input":[1],"version":"__proto__"}',
    status: 400,
    code: "UNKNOWN_VERSION",
  },
  {
    what: "P75 a version of 1 MB",
    body: `{"input":[1],"version":"${"v".repeat(1_000_000)}"}`,
    status: 400,
    code: "UNKNOWN_VERSION",
  },
  { what: "P76 no linked model", path: "/unlinked/predict", body: SMALL, status: 200 },
  {
    what: "P77 feedback",
    path: "/a/update",
    body: '{"uid":0,"input":[1],"label":1.0}',
    status: 501,
    code: "FEEDBACK_UNSUPPORTED",
  },
  {
    what: "P81 a foreign Host",
    headers: { host: "evil.example" },
    body: SMALL,
    status: 421,
    code: "BAD_HOST",
  },
  {
    what: "P81 a foreign Host that only looks local",
    headers: { host: "127.0.0.1.evil.example" },
    body: SMALL,
    status: 421,
    code: "BAD_HOST",
  },
  { what: "P81 a loopback address", headers: { host: "127.0.0.1:1337" }, body: SMALL, status: 200 },
  { what: "P81 IPv6's loopback", headers: { host: "[::1]:1337" }, body: SMALL, status: 200 },
  {
    what: "P81 a foreign host in the target",
    path: "http://evil.example/a/predict",
    body: SMALL,
    status: 421,
    code: "BAD_HOST",
  },
  {
    what: "P82 a page of another site",
    headers: { origin: "https://evil.example" },
    body: SMALL,
    status: 403,
    code: "ORIGIN_DENIED",
  },
  {
    what: "P82 a sandboxed page",
    headers: { origin: "null" },
    body: SMALL,
    status: 403,
    code: "ORIGIN_DENIED",
  },
  {
    what: "P82 a page of this site",
    headers: { origin: "http://localhost", ...JSON_TYPE },
    body: SMALL,
    status: 200,
  },
  { what: "A04 an admin path", path: "/admin/add_app", body: "{}", status: 404, code: "NOT_FOUND" },
];

describe("the catalogue of bad input", () => {
  it("gets each its status and code, and the next good request its answer", async () => {
    await harness.serve(sumDoubles);
    harness.management.commit(put.application(applicationRecord("unlinked")));
    await harness.until("/unlinked/readyz", 503);
    for (const row of CATALOGUE) {
      const { method = "POST", path = "/a/predict", status, code } = row;
      const answer = await harness.call(method, path, row);
      expect({ what: row.what, status: answer.status }).toEqual({ what: row.what, status });
      const body = JSON.parse(answer.body) as Record<string, unknown>;
      if (code !== undefined) {
        expect({ what: row.what, code: body.code }).toEqual({ what: row.what, code });
        expect(body).toMatchObject({ error: expect.any(String), cause: expect.any(String) });
        expect(body.request_id).toBe(answer.headers["x-request-id"]);
        expect(answer.body.length).toBeLessThan(2_000);
      }
      expect((await harness.predict({ input: [1] })).body).toMatchObject({ output: 1, default: false });
    }
  });

  it("P01 says which method is taken", async () => {
    await harness.serve(sumDoubles);
    expect((await harness.call("GET", "/a/predict")).headers.allow).toBe("POST");
    expect((await harness.call("POST", "/healthz")).headers.allow).toBe("GET, HEAD");
  });

  it("P38 drops the query of a caller who has gone, and counts it", async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    harness.management.commit(
      put.application(applicationRecord("a", { model: "m" })),
      put.model("m", "1"),
      put.version(versionRecord("m", "1")),
    );
    const answer = answering(sumDoubles);
    harness.replica({ model: "m", version: "1", handler: (items) => held.then(() => answer(items)) });
    await harness.until("/a/readyz", 200);
    const caller = await harness.client();
    caller.send(
      `POST /a/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${SMALL.length}\r\n\r\n${SMALL}`,
    );
    await expect.poll(async () => (await harness.metrics()).get("clipper_queries_in_flight")).toBe(1);
    caller.destroy();
    await expect.poll(async () => (await harness.metrics()).get("clipper_queries_in_flight")).toBe(0);
    const metrics = await harness.metrics();
    expect(metrics.get('clipper_queries_total{application="a",outcome="cancelled"}')).toBe(1);
    release();
    expect((await harness.predict({ input: [4] })).body.output).toBe(4);
  });

  it("does not write what callers send into its log", async () => {
    await harness.serve(sumDoubles);
    await harness.call("POST", "/a/predict", { body: '{"input":["s3cret"]}', headers: { cookie: "s3cret" } });
    await harness.call("POST", "/s3cret/predict", { body: '{"input":[1]}' });
    expect(JSON.stringify(harness.logLines)).not.toContain("s3cret");
  });
});

describe("the counters", () => {
  it("add up to what callers saw, to the last query", async () => {
    await harness.serve(sumDoubles);
    harness.management.commit(put.application(applicationRecord("unlinked")));
    await harness.until("/unlinked/readyz", 503);
    const ledger = { ok: 0, default: 0, client_error: 0, rejected: 0, cancelled: 0 };
    const note = ({ status, body }: { status: number; body: Record<string, unknown> }): void => {
      const answers = (body.batch_predictions ?? [body]) as Record<string, unknown>[];
      for (const { default: isDefault } of answers) {
        if (status >= 500) ledger.rejected += 1;
        else if (status >= 400) ledger.client_error += 1;
        else if (isDefault) ledger.default += 1;
        else ledger.ok += 1;
      }
    };
    const bodies: readonly [body: unknown, application?: string][] = [
      [{ input: [1] }],
      [{ input: [2] }, "unlinked"],
      [{ input: ["x"] }],
      ["{"],
      [{ input_batch: [[1], [2], [3]] }],
      [{ input_batch: [[1], [2]] }, "unlinked"],
      [{ input: [1], version: "7" }],
      [{ input: [1] }, "nobody"],
    ];
    for (let round = 0; round < 5; round += 1) {
      for (const answer of await Promise.all(bodies.map((args) => harness.predict(...args)))) note(answer);
    }
    const metrics = await harness.metrics();
    const totals: Record<string, number> = {};
    let accepted = 0;
    for (const [name, value] of metrics) {
      const outcome = /^clipper_queries_total\{.*outcome="(\w+)"/.exec(name)?.[1];
      if (outcome !== undefined) totals[outcome] = (totals[outcome] ?? 0) + value;
      if (name.startsWith("clipper_queries_accepted_total")) accepted += value;
    }
    expect(totals).toEqual(ledger);
    expect(accepted).toBe(Object.values(ledger).reduce((sum, count) => sum + count));
    expect(metrics.get('clipper_default_answers_total{application="unlinked",reason="no_link"}')).toBe(15);
    expect(metrics.get('clipper_refused_queries_total{application="a",code="UNKNOWN_VERSION"}')).toBe(5);
    expect(metrics.get('clipper_http_answers_total{route="predict",status="200"}')).toBe(20);
    expect([...metrics.keys()].join()).not.toContain("nobody");
  });

  it("show replicas, batches, service times and the cache by model and version", async () => {
    await harness.serve(sumDoubles);
    await harness.predict({ input: [1] });
    await harness.predict({ input: [1] });
    const metrics = await harness.metrics();
    const version = 'model="m",version="1"';
    expect(metrics.get(`clipper_replicas{${version},state="ready"}`)).toBe(1);
    expect(metrics.get(`clipper_batch_size_count{${version}}`)).toBe(1);
    expect(metrics.get(`clipper_service_duration_seconds_bucket{${version},le="+Inf"}`)).toBe(1);
    expect(metrics.get(`clipper_queue_duration_seconds_bucket{${version},le="+Inf"}`)).toBe(1);
    expect(metrics.get(`clipper_cache_lookups_total{${version},result="hit"}`)).toBe(1);
    expect(metrics.get(`clipper_tasks_total{${version},outcome="cached"}`)).toBe(1);
    expect(metrics.get('clipper_query_duration_seconds_count{application="a"}')).toBe(2);
    expect(metrics.get('clipper_queue_length{model="m",version="1"}')).toBe(0);
  });
});

describe("health and inspection", () => {
  it("is alive at once and ready with a state, whatever becomes of models", async () => {
    expect((await harness.call("GET", "/healthz")).status).toBe(200);
    expect((await harness.call("GET", "/livez")).status).toBe(200);
    await harness.until("/readyz", 200);
    const replica = await harness.serve(sumDoubles);
    await replica.close();
    await harness.until("/a/readyz", 503);
    expect((await harness.call("GET", "/readyz")).status).toBe(200);
    expect((await harness.call("GET", "/nobody/readyz")).status).toBe(404);
  });

  it("shows the engine, the state and the replicas", async () => {
    await harness.serve(sumDoubles);
    const inspection = JSON.parse((await harness.call("GET", "/metrics/inspect")).body);
    expect(inspection).toMatchObject({
      id: "qf-1",
      head: harness.management.head,
      serving: { m: "1" },
      state: { connected: true },
      versions: [{ model: "m", version: "1", replicas: [{ state: "ready" }] }],
    });
  });

  it("shows what a version was measured to take when it was deployed", async () => {
    await harness.serve(sumDoubles);
    const floor = [{ batchSize: 1, p50Micros: 340_500, p99Micros: 390_000 }];
    harness.management.commit(put.version({ ...versionRecord("m", "2"), floor }));
    const versions = async () =>
      (JSON.parse((await harness.call("GET", "/metrics/inspect")).body) as { versions: object[] }).versions;
    await expect.poll(versions).toContainEqual(expect.objectContaining({ version: "2", floor }));
    expect(await versions()).toContainEqual(expect.not.objectContaining({ floor: expect.anything() }));
  });

  it("tells the management frontend of itself and its replicas, as they come and go", async () => {
    const replica = await harness.serve(sumDoubles);
    const last = () => harness.management.reports.at(-1);
    await expect.poll(last).toMatchObject({
      id: "qf-1",
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      head: harness.management.head,
      replicas: [{ model: "m", version: "1", state: "ready", replicaId: "replica-1" }],
      serving: { m: "1" },
    });
    await replica.close();
    await expect.poll(last).toMatchObject({ replicas: [] });
  });
});
