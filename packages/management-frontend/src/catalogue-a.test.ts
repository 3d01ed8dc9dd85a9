import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DIGITS, type RunningFrontend, startFrontend, TOKEN } from "./test-support/frontend.js";
import { sendRaw } from "./test-support/http-client.js";

/*
 * The bad-input catalogue of the management interface, row by row: exact status and code. Rows that are not here: A03 (there is one
 * role so far), A04 (the query frontend's own), A21 (a query's).
 */

let frontend: RunningFrontend;

beforeAll(async () => {
  frontend = await startFrontend();
  await post("/v1/applications", { ...DIGITS, name: "linked" });
  await post("/v1/applications", { ...DIGITS, name: "free" });
  await post("/v1/models/m/versions", { version: "1", inputType: "doubles" });
  await post("/v1/models/other/versions", { version: "1", inputType: "doubles" });
  await post("/v1/models/texts/versions", { version: "1", inputType: "strings" });
  await put("/v1/applications/linked/routes", { routes: [{ model: "m" }] });
});

afterAll(() => frontend[Symbol.asyncDispose]());

const post = (path: string, body: unknown) => frontend.call("POST", path, body);
const put = (path: string, body: unknown) => frontend.call("PUT", path, body);
const admin = (operation: string, body: unknown) => post(`/admin/${operation}`, body);
const app = (change: object) => post("/v1/applications", { ...DIGITS, name: "made", ...change });
const version = (change: object, model = "made") =>
  post(`/v1/models/${model}/versions`, { version: "1", inputType: "doubles", ...change });
const addModel = (change: object) =>
  admin("add_model", {
    model_name: "made",
    model_version: "1",
    labels: [],
    input_type: "doubles",
    container_name: "c",
    model_data_path: "p",
    ...change,
  });

interface Row {
  readonly row: string;
  readonly what: string;
  readonly ask: () => Promise<{ status: number; text: string }>;
  readonly status: number;
  readonly code?: string;
}

const NAMES = {
  A09: ["", " "],
  A10: [".*", "a/b", "../x", "a?b", "a#b"],
  A11: ["a".repeat(129)],
  A12: ["dıgits", "\u202eabc", "🙂"],
  A13: ["admin", "metrics", "healthz", "v1"],
  A29: ["a,b", "a:b", "a_b", "Digits"],
  A30: ["a".repeat(64)],
};

const ROWS: Row[] = [
  {
    row: "A01",
    what: "no token",
    ask: () => frontend.send({ path: "/v1/cluster" }),
    status: 401,
    code: "TOKEN_MISSING",
  },
  {
    row: "A01",
    what: "no token on Clipper's routes",
    ask: () => frontend.send({ method: "POST", path: "/admin/add_app", body: {} }),
    status: 401,
  },
  {
    row: "A01",
    what: "no token on a path that is not there",
    ask: () => frontend.send({ path: "/nothing" }),
    status: 401,
    code: "TOKEN_MISSING",
  },
  {
    row: "A02",
    what: "a wrong token",
    ask: () => frontend.call("GET", "/v1/cluster", undefined, { authorization: "Bearer wrong" }),
    status: 401,
    code: "TOKEN_WRONG",
  },
  {
    row: "A05",
    what: "an unknown path",
    ask: () => frontend.call("GET", "/v1/nothing"),
    status: 404,
    code: "UNKNOWN_PATH",
  },
  {
    row: "A05",
    what: "a path that climbs",
    ask: () => frontend.call("GET", "/v1/../admin/ping"),
    status: 404,
    code: "UNKNOWN_PATH",
  },
  {
    row: "A05",
    what: "a broken escape",
    ask: () => frontend.call("GET", "/v1/%zz"),
    status: 400,
    code: "BAD_URL",
  },
  {
    row: "A06",
    what: "GET where only POST is",
    ask: () => frontend.call("GET", "/admin/add_app"),
    status: 405,
  },
  {
    row: "A06",
    what: "PATCH of a list",
    ask: () => frontend.call("PATCH", "/v1/applications"),
    status: 405,
    code: "METHOD_NOT_ALLOWED",
  },
  { row: "A07", what: "not JSON", ask: () => post("/v1/applications", "{"), status: 400, code: "BAD_JSON" },
  {
    row: "A07",
    what: "an empty body",
    ask: () => post("/v1/applications", " "),
    status: 400,
    code: "EMPTY_BODY",
  },
  {
    row: "A07",
    what: "no body",
    ask: () => frontend.call("POST", "/v1/applications"),
    status: 400,
    code: "EMPTY_BODY",
  },
  { row: "A07", what: "an array", ask: () => post("/v1/applications", []), status: 400, code: "NOT_OBJECT" },
  {
    row: "A07",
    what: "nesting without an end",
    ask: () => post("/v1/applications", "[".repeat(500_000)),
    status: 400,
    code: "TOO_DEEP",
  },
  {
    row: "A07",
    what: "a polluted prototype",
    ask: () => post("/v1/applications", '{"__proto__":{"a":1}}'),
    status: 400,
    code: "FORBIDDEN_KEY",
  },
  { row: "A07", what: "not JSON, Clipper's way", ask: () => admin("add_app", "{"), status: 400 },
  ...["name", "inputType", "defaultOutput", "latencySloMicros"].flatMap((field) =>
    [undefined, null, {}].map((value) => ({
      row: "A08",
      what: `${field} ${JSON.stringify(value)}`,
      ask: () => app({ [field]: value }),
      status: 400,
      code: "INVALID_ARGUMENT",
    })),
  ),
  ...["version", "inputType"].flatMap((field) =>
    [undefined, null, 7].map((value) => ({
      row: "A08",
      what: `${field} ${JSON.stringify(value)}`,
      ask: () => version({ [field]: value }),
      status: 400,
      code: "INVALID_ARGUMENT",
    })),
  ),
  {
    row: "A08",
    what: "an unknown key",
    ask: () => app({ latencySloMicro: 1 }),
    status: 400,
    code: "UNKNOWN_KEY",
  },
  ...Object.entries(NAMES).flatMap(([row, names]) =>
    names.flatMap((name) => [
      {
        row,
        what: `application ${JSON.stringify(name.slice(0, 9))}`,
        ask: () => app({ name }),
        status: 400,
        code: "INVALID_NAME",
      },
      ...(row === "A13"
        ? []
        : [
            {
              row,
              what: `version ${JSON.stringify(name.slice(0, 9))}`,
              ask: () => version({ version: name }),
              status: 400,
            },
          ]),
    ]),
  ),
  {
    row: "A13",
    what: "__proto__ as a name",
    ask: () => app({ name: "__proto__" }),
    status: 400,
    code: "INVALID_NAME",
  },
  {
    row: "A14",
    what: "an application twice",
    ask: () => app({ name: "linked" }),
    status: 409,
    code: "APPLICATION_EXISTS",
  },
  ...["int8", ""].map((inputType) => ({
    row: "A16",
    what: `input type ${JSON.stringify(inputType)}`,
    ask: () => app({ inputType }),
    status: 400,
    code: "INVALID_ARGUMENT",
  })),
  ...["int8", ""].map((input_type) => ({
    row: "A16",
    what: `Clipper's input_type ${JSON.stringify(input_type)}`,
    ask: () => addModel({ input_type }),
    status: 400,
  })),
  ...["i", "ints", "d", "str", "byte"].map((inputType, at) => ({
    row: "A16",
    what: `the alias ${inputType}`,
    ask: () => app({ name: `alias-${at}`, inputType }),
    status: 201,
  })),
  ...[0, -1, 1.5, "100", 1e12, 2_147_483_648].map((latencySloMicros) => ({
    row: "A17",
    what: `an objective of ${JSON.stringify(latencySloMicros)}`,
    ask: () => app({ latencySloMicros }),
    status: 400,
    code: "INVALID_ARGUMENT",
  })),
  {
    row: "A18",
    what: "a default output that is a number",
    ask: () => app({ defaultOutput: 1 }),
    status: 400,
    code: "INVALID_ARGUMENT",
  },
  {
    row: "A18",
    what: "a default output above 64 KiB",
    ask: () => app({ defaultOutput: "x".repeat(65_537) }),
    status: 413,
    code: "TOO_LARGE",
  },
  {
    row: "A19",
    what: "a default output that is not JSON",
    ask: () => app({ name: "plain", defaultOutput: "{not json" }),
    status: 201,
  },
  {
    row: "A20",
    what: "deleting what is not there",
    ask: () => frontend.call("DELETE", "/v1/applications/nobody"),
    status: 404,
    code: "NOT_FOUND",
  },
  {
    row: "A22",
    what: "linking an unknown application",
    ask: () => put("/v1/applications/nobody/routes", { routes: [{ model: "m" }] }),
    status: 404,
    code: "NOT_FOUND",
  },
  {
    row: "A22",
    what: "linking an unknown model",
    ask: () => put("/v1/applications/free/routes", { routes: [{ model: "nobody" }] }),
    status: 404,
    code: "NOT_FOUND",
  },
  {
    row: "A23",
    what: "linking another input type",
    ask: () => put("/v1/applications/free/routes", { routes: [{ model: "texts" }] }),
    status: 409,
    code: "INPUT_TYPE_MISMATCH",
  },
  {
    row: "A24",
    what: "linking no model, Clipper's way",
    ask: () => admin("add_model_links", { app_name: "free", model_names: [] }),
    status: 400,
  },
  {
    row: "A24",
    what: "linking two models, Clipper's way",
    ask: () => admin("add_model_links", { app_name: "free", model_names: ["m", "other"] }),
    status: 400,
  },
  {
    row: "A25",
    what: "the same link again, Clipper's way",
    ask: () => admin("add_model_links", { app_name: "linked", model_names: ["m"] }),
    status: 400,
  },
  {
    row: "A25",
    what: "the same route again",
    ask: () => put("/v1/applications/linked/routes", { routes: [{ model: "m" }, { model: "m" }] }),
    status: 400,
    code: "INVALID_ARGUMENT",
  },
  {
    row: "A26",
    what: "another model linked, Clipper's way",
    ask: () => admin("add_model_links", { app_name: "linked", model_names: ["other"] }),
    status: 400,
  },
  {
    row: "A27",
    what: "unlinking what is not linked, Clipper's way",
    ask: () => admin("delete_model_links", { app_name: "free", model_names: ["m"] }),
    status: 400,
  },
  { row: "A28", what: "a version twice", ask: () => version({}, "m"), status: 409, code: "VERSION_EXISTS" },
  {
    row: "A32",
    what: "labels that are no list",
    ask: () => version({ labels: "a" }),
    status: 400,
    code: "INVALID_ARGUMENT",
  },
  {
    row: "A32",
    what: "a label with a comma",
    ask: () => version({ labels: ["a,b"] }),
    status: 400,
    code: "INVALID_ARGUMENT",
  },
  ...[0, -2, 1.5, 1e9].map((batchSize) => ({
    row: "A33",
    what: `a batch size of ${batchSize}`,
    ask: () => version({ batchSize }),
    status: 400,
    code: "INVALID_ARGUMENT",
  })),
  { row: "A33", what: "a batch size of -1", ask: () => version({ batchSize: -1 }, "batches"), status: 201 },
  ...["a b", "a\nb", "$(id)", "--flag"].map((name) => ({
    row: "A34",
    what: `the image ${JSON.stringify(name)}`,
    ask: () => version({ containerName: name }),
    status: 400,
    code: "BAD_IMAGE_REF",
  })),
  {
    row: "A34",
    what: "an image with a blank, Clipper's way",
    ask: () => addModel({ container_name: "a b" }),
    status: 400,
  },
  {
    row: "A35",
    what: "an unknown version made current",
    ask: () => put("/v1/models/m/current", { version: "9" }),
    status: 404,
    code: "NOT_FOUND",
  },
  {
    row: "A36",
    what: "a version with another input type on a linked model",
    ask: () => version({ version: "2", inputType: "strings" }, "m"),
    status: 409,
    code: "INPUT_TYPE_MISMATCH",
  },
  {
    row: "A37",
    what: "an unknown application",
    ask: () => frontend.call("GET", "/v1/applications/nobody"),
    status: 404,
    code: "NOT_FOUND",
  },
  {
    row: "A37",
    what: "an unknown application, Clipper's way",
    ask: () => admin("get_application", { name: "nobody" }),
    status: 200,
  },
  ...[-1, "0"].map((replica_id) => ({
    row: "A38",
    what: `replica_id ${JSON.stringify(replica_id)}`,
    ask: () => admin("get_container", { model_name: "m", model_version: "1", replica_id }),
    status: 400,
  })),
  {
    row: "A39",
    what: "an If-Match of yesterday",
    ask: () => frontend.call("DELETE", "/v1/applications/linked", undefined, { "if-match": '"0"' }),
    status: 412,
    code: "PRECONDITION_FAILED",
  },
  {
    row: "A39",
    what: "an If-Match that is none",
    ask: () => frontend.call("DELETE", "/v1/applications/linked", undefined, { "if-match": "new" }),
    status: 400,
    code: "INVALID_ARGUMENT",
  },
  {
    row: "A41",
    what: "a body above 1 MiB",
    ask: () => app({ defaultOutput: "x".repeat(1_100_000) }),
    status: 413,
    code: "TOO_LARGE",
  },
  {
    row: "A42",
    what: "a token in the URL",
    ask: () => frontend.call("GET", `/v1/cluster?token=${TOKEN}`),
    status: 401,
    code: "TOKEN_IN_URL",
  },
  ...["http://169.254.169.254", "file:///etc/passwd", "gopher://h", "http://u:p@h"].map((url) => ({
    row: "A43",
    what: `the frontend ${url}`,
    ask: () => put("/v1/frontends/f", { id: "f", url, startedAtMs: 1, replicas: [], serving: {} }),
    status: 400,
    code: "URL_DENIED",
  })),
  {
    row: "A44",
    what: "a browser's form",
    ask: () =>
      frontend.call("POST", "/admin/add_app", "name=a", {
        "content-type": "application/x-www-form-urlencoded",
      }),
    status: 415,
  },
  {
    row: "A44",
    what: "a page",
    ask: () => frontend.call("GET", "/v1/cluster", undefined, { origin: "http://evil.example" }),
    status: 403,
    code: "ORIGIN_DENIED",
  },
  {
    row: "A44",
    what: "a page without an origin",
    ask: () => frontend.call("GET", "/v1/cluster", undefined, { origin: "null" }),
    status: 403,
    code: "ORIGIN_DENIED",
  },
  {
    row: "A44",
    what: "another host's name",
    ask: () => frontend.call("GET", "/v1/cluster", undefined, { host: "evil.example" }),
    status: 421,
    code: "BAD_HOST",
  },
  {
    row: "A44",
    what: "utf-16",
    ask: () =>
      frontend.call("POST", "/v1/applications", "{}", { "content-type": "application/json; charset=utf-16" }),
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    row: "A44",
    what: "a packed body",
    ask: () => frontend.call("POST", "/v1/applications", "{}", { "content-encoding": "gzip" }),
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    row: "A45",
    what: "healthz without a token",
    ask: () => frontend.send({ path: "/healthz" }),
    status: 200,
  },
  { row: "A45", what: "readyz without a token", ask: () => frontend.send({ path: "/readyz" }), status: 200 },
  { row: "A45", what: "metrics from loopback", ask: () => frontend.send({ path: "/metrics" }), status: 200 },
];

describe("the catalogue of bad management input", () => {
  it.each(ROWS)("$row $what → $status $code", async ({ ask, status, code }) => {
    const answer = await ask();
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
    if (code !== undefined) {
      expect(JSON.parse(answer.text)).toMatchObject({
        code,
        request_id: expect.any(String),
        cause: expect.any(String),
      });
    }
  });

  it("A02 answers wrong tokens with 401, then 429, and the right one all the while", async () => {
    await using guessed = await startFrontend();
    const statuses: number[] = [];
    for (let guess = 0; guess < 100; guess++) {
      const { status } = await guessed.call("GET", "/v1/cluster", undefined, {
        authorization: `Bearer ${guess}`,
      });
      statuses.push(status);
    }
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(401));
    expect(new Set(statuses.slice(20))).toEqual(new Set([429]));
    const locked = await guessed.call("GET", "/v1/cluster", undefined, { authorization: "Bearer x" });
    expect(locked.headers["retry-after"]).toMatch(/^[1-5]$/);
    expect((await guessed.call("GET", "/v1/cluster")).status).toBe(200);
  });

  it("A06 says which methods there are", async () => {
    const { headers } = await frontend.call("PATCH", "/v1/applications/linked");
    expect(headers.allow).toBe("GET, DELETE");
  });

  it("A08 names the key that was meant", async () => {
    expect((await app({ latencySloMicro: 1 })).json()).toMatchObject({
      hint: 'did you mean "latencySloMicros"?',
      facts: { key: "latencySloMicro", suggestion: "latencySloMicros" },
    });
  });

  it("A15 gives one of two that create at once a 201, the other a 409", async () => {
    const statuses = await Promise.all([app({ name: "raced" }), app({ name: "raced" })]);
    expect(statuses.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it("A31 keeps (a-1, 2) and (a, 1-2) apart", async () => {
    expect((await version({ version: "2" }, "a-1")).status).toBe(201);
    expect((await version({ version: "1-2" }, "a")).status).toBe(201);
    const items = (await frontend.call("GET", "/v1/cluster")).json<{ versions: { model: string }[] }>()
      .versions;
    expect(items.filter(({ model }) => model === "a" || model === "a-1")).toHaveLength(2);
  });

  it("A42 keeps a token in the URL out of the log", async () => {
    await frontend.call("GET", `/v1/cluster?access_token=${TOKEN}`);
    expect(frontend.log.join("")).not.toContain(TOKEN);
  });

  it("A45 tells no detail to strangers", async () => {
    expect((await frontend.send({ path: "/healthz" })).text).toBe("ok\n");
    expect((await frontend.send({ path: "/readyz" })).text).toBe("ready\n");
  });

  it("refuses two Host headers, and bytes that are no request", async () => {
    const twoHosts = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n";
    expect(await sendRaw(frontend.url, twoHosts)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(frontend.url, "hello\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 [\s\S]*BAD_REQUEST/);
    const longHeader = `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`;
    expect(await sendRaw(frontend.url, longHeader)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("goes on answering after all of it, with nothing made that was refused", async () => {
    const { applications } = (await frontend.call("GET", "/v1/cluster")).json<{
      applications: { name: string }[];
    }>();
    expect(applications.map(({ name }) => name)).toEqual([
      ...[0, 1, 2, 3, 4].map((at) => `alias-${at}`),
      "free",
      "linked",
      "plain",
      "raced",
    ]);
    expect(Object.hasOwn(Object.prototype, "a")).toBe(false);
  });
});
