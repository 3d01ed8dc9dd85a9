import { connect } from "node:net";
import type { Address } from "@clipper-serving/spec";
import { afterEach, describe, expect, it } from "vitest";
import type { CreateHttpEdge, EdgeHandler, EdgeLimits, EdgeRequest, HttpEdge } from "../http-edge.js";
import { RawClient } from "./raw-client.js";

const POST = "POST /a/predict HTTP/1.1\r\nHost: localhost\r\n";
const GET = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** Bytes sent on a new connection, and the one answer: its status and, for a refusal, why. `200` means that the handler saw the request. */
const TABLE: readonly (readonly [what: string, bytes: string, status: number, fault?: string])[] = [
  ["a request with a body", `${POST}Content-Length: 2\r\n\r\nhi`, 200],
  ["a request without a body", GET, 200],
  ["a chunked body", `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n`, 200],
  ["HTTP/1.0 without a Host", "GET /a HTTP/1.0\r\n\r\n", 200],
  ["empty lines before the request", `\r\n\r\n${GET}`, 200],
  ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 200],
  ["an Upgrade", "GET /a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 200],
  ["a percent sign that is no escape in the target", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 200],
  ["a NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"],
  ["a target of 9 KiB", `GET /${"a".repeat(9_216)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, "target_too_long"],
  [
    "20 KB of one header",
    `GET /a HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
    431,
    "headers_too_large",
  ],
  [
    "101 header fields",
    `GET /a HTTP/1.1\r\nHost: a\r\n${"X: 1\r\n".repeat(100)}\r\n`,
    431,
    "too_many_headers",
  ],
  [
    "Content-Length and Transfer-Encoding",
    `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    "malformed",
  ],
  ["two Content-Lengths", `${POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`, 400, "malformed"],
  ["Content-Length: +2", `${POST}Content-Length: +2\r\n\r\nhi`, 400, "malformed"],
  ["Content-Length: 2 3", `${POST}Content-Length: 2 3\r\n\r\nhi`, 400, "malformed"],
  ["Content-Length: 0x2", `${POST}Content-Length: 0x2\r\n\r\nhi`, 400, "malformed"],
  ["Content-Length: -1", `${POST}Content-Length: -1\r\n\r\nhi`, 400, "malformed"],
  ["Transfer-Encoding: xchunked", `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
  ["Transfer-Encoding: chunked, gzip", `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 400],
  [
    "Transfer-Encoding: gzip, chunked",
    `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    400,
    "transfer_encoding",
  ],
  ["a space before a colon", "GET /a HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed"],
  ["a folded header", "GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400, "malformed"],
  ["a bare LF", "GET /a HTTP/1.1\nHost: a\n\n", 400, "malformed"],
  ["a bare CR in a header", "GET /a HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n", 400, "malformed"],
  ["two Hosts", "GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "host"],
  ["no Host", "GET /a HTTP/1.1\r\nX: 1\r\n\r\n", 400, "host"],
  ["a request line without a version", "GET /a\r\nHost: a\r\n\r\n", 400],
  ["HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["TLS's hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed"],
  ["a body above the limit by its length", `${POST}Content-Length: 5000\r\n\r\n`, 413, "body_too_large"],
  [
    "a chunked body above the limit",
    `${POST}Transfer-Encoding: chunked\r\n\r\n${`100\r\n${"a".repeat(256)}\r\n`.repeat(17)}`,
    413,
    "body_too_large",
  ],
  [
    "a chunk extension of 70 KB",
    `${POST}Transfer-Encoding: chunked\r\n\r\n2;${"a".repeat(70_000)}\r\nhi\r\n0\r\n\r\n`,
    413,
    "body_too_large",
  ],
  [
    "more chunks than allowed",
    `${POST}Transfer-Encoding: chunked\r\n\r\n${"1\r\na\r\n".repeat(301)}`,
    413,
    "too_many_chunks",
  ],
  [
    "Expect: 100-continue with a body above the limit",
    `${POST}Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n`,
    413,
    "body_too_large",
  ],
  ["another expectation", `${POST}Expect: a-pony\r\nContent-Length: 2\r\n\r\nhi`, 417, "expectation"],
];

const STATUS: Readonly<Record<string, number>> = {
  target_too_long: 414,
  headers_too_large: 431,
  too_many_headers: 431,
  body_too_large: 413,
  too_many_chunks: 413,
  too_slow: 408,
  expectation: 417,
  too_many_connections: 503,
};

/** What every edge does, over raw sockets. */
export function describeEdge(name: string, create: CreateHttpEdge): void {
  describe(`the ${name} edge`, () => {
    const open: { edge: HttpEdge; clients: RawClient[] }[] = [];

    afterEach(async () => {
      for (const { edge, clients } of open.splice(0)) {
        for (const client of clients) client.destroy();
        await edge.close();
      }
    });

    async function start(
      handler: EdgeHandler,
      limits: Partial<EdgeLimits> = {},
    ): Promise<{ edge: HttpEdge; address: Address; client: () => Promise<RawClient> }> {
      const edge = create({
        address: { kind: "tcp", host: "127.0.0.1", port: 0 },
        handler,
        refuse: (fault) => ({ status: STATUS[fault] ?? 400, body: JSON.stringify({ fault }) }),
        limits: { maxBodyBytes: 4_096, maxChunks: 300, checkEveryMs: 20, drainIdleMs: 20, ...limits },
      });
      const clients: RawClient[] = [];
      open.push({ edge, clients });
      const address = await edge.start();
      return {
        edge,
        address,
        client: async () => {
          const client = await RawClient.to(address);
          clients.push(client);
          return client;
        },
      };
    }

    const echo: EdgeHandler = (request) => {
      request.answer({ status: 200, body: request.body.toString("latin1") });
    };

    it.each(TABLE.map((row) => ({ row, what: row[0] })))("answers $what", async ({ row }) => {
      const [, bytes, status, fault] = row;
      const seen: EdgeRequest[] = [];
      const { client } = await start((request) => {
        seen.push(request);
        request.answer({ status: 200, body: "{}" });
      });
      const caller = await client();
      caller.send(bytes);
      const answer = await caller.answer();
      expect(answer?.status).toBe(status);
      expect(seen).toHaveLength(status === 200 ? 1 : 0);
      if (fault !== undefined) expect(JSON.parse(answer?.body ?? "")).toEqual({ fault });
      if (status !== 200) {
        expect(answer?.headers.connection).toBe("close");
        caller.socket.end();
        await caller.close();
      }
      const after = await client();
      after.send(GET);
      expect((await after.answer())?.status).toBe(200);
    });

    it("hands over what a request says, byte by byte or at once", async () => {
      const seen: EdgeRequest[] = [];
      const bodies: string[] = [];
      const { client } = await start((request) => {
        seen.push(request);
        bodies.push(request.body.toString());
        request.answer({ status: 200, body: "{}" });
      });
      const bytes =
        "POST /a%20b/predict?x=1 HTTP/1.1\r\nHOST: h:1\r\nContent-Type: text/x\r\ncontent-encoding: gzip\r\n" +
        "Origin: http://o\r\nX-Request-Id: r-1\r\nTraceparent: 00-a\r\nX-Other: z\r\nContent-Length: 3\r\n\r\nabc";
      const whole = await client();
      whole.send(bytes);
      await whole.answer();
      const slow = await client();
      slow.socket.setNoDelay(true);
      for (const byte of bytes) {
        slow.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await slow.answer();
      for (const request of seen) {
        expect(request).toMatchObject({
          method: "POST",
          target: "/a%20b/predict?x=1",
          host: "h:1",
          contentType: "text/x",
          contentEncoding: "gzip",
          origin: "http://o",
          requestId: "r-1",
          traceparent: "00-a",
        });
      }
      expect(bodies).toEqual(["abc", "abc"]);
    });

    it("reads a body of many pieces, by its length and in chunks", async () => {
      const { client } = await start(
        (request) => request.answer({ status: 200, body: `${request.body.length}` }),
        {
          maxBodyBytes: 1024 * 1024,
          maxChunks: 65_536,
        },
      );
      const caller = await client();
      const body = "a".repeat(1024 * 1024);
      caller.send(`${POST}Content-Length: ${body.length}\r\n\r\n${body}`);
      expect((await caller.answer())?.body).toBe(String(body.length));
      const chunks = "8\r\naaaaaaaa\r\n".repeat(20_000);
      caller.send(`${POST}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
      expect((await caller.answer())?.body).toBe("160000");
    });

    it("answers 100 pipelined requests in their order, whatever order they are settled in", async () => {
      const waiting: (() => void)[] = [];
      const { client } = await start((request) => {
        const body = request.body.toString("latin1");
        waiting.push(() => request.answer({ status: 200, body }));
        if (waiting.length === 2) for (const settle of waiting.splice(0).reverse()) settle();
        else
          setImmediate(() => {
            for (const settle of waiting.splice(0)) settle();
          });
      });
      const caller = await client();
      let bytes = "";
      for (let index = 0; index < 100; index += 1) {
        const body = String(index);
        bytes += `${POST}Content-Length: ${body.length}\r\n\r\n${body}`;
      }
      caller.send(bytes);
      for (let index = 0; index < 100; index += 1) expect((await caller.answer())?.body).toBe(String(index));
    });

    it("answers what came before bytes that are no request, then 400, then closes", async () => {
      const held: EdgeRequest[] = [];
      const { client } = await start((request) => held.push(request));
      const caller = await client();
      caller.send(`${POST}Content-Length: 2\r\n\r\nhi???? \r\n\r\n`);
      await expect.poll(() => held.length).toBe(1);
      held[0]?.answer({ status: 200, body: "first" });
      expect((await caller.answer())?.body).toBe("first");
      expect((await caller.answer())?.status).toBe(400);
      caller.socket.end();
      await caller.close();
    });

    it("says 100 Continue before it reads a body that waits for it", async () => {
      const { client } = await start(echo);
      const caller = await client();
      caller.send(`${POST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
      expect((await caller.answer())?.status).toBe(100);
      caller.send("hi");
      expect(await caller.answer()).toMatchObject({ status: 200, body: "hi" });
    });

    it("closes after an answer when asked to, and after HTTP/1.0", async () => {
      const { client } = await start(echo);
      for (const bytes of [
        "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /a HTTP/1.0\r\n\r\n",
      ]) {
        const caller = await client();
        caller.send(bytes);
        expect((await caller.answer())?.headers.connection).toBe("close");
        caller.socket.end();
        await caller.close();
      }
    });

    it("gives a caller time to read a refusal while it is still sending", async () => {
      const { client } = await start(echo);
      const caller = await client();
      caller.send(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
      for (let index = 0; index < 50; index += 1) caller.send(`400\r\n${"a".repeat(1024)}\r\n`);
      expect((await caller.answer())?.status).toBe(413);
    });

    it("answers text that is not ASCII with its length in bytes, and a HEAD without the body", async () => {
      const { client } = await start((request) => request.answer({ status: 200, body: '"héllo ✓"' }));
      const caller = await client();
      caller.send(GET);
      expect((await caller.answer())?.body).toBe('"héllo ✓"');
      caller.send("HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      caller.socket.end();
      await caller.close();
      expect(caller.unread.split("\r\n\r\n")[1]).toBe("");
    });

    it("sends the headers an answer has, and neither a date nor a name of its own", async () => {
      const { client } = await start((request) =>
        request.answer({ status: 405, body: "{}", headers: ["Allow", "POST"], contentType: "text/plain" }),
      );
      const caller = await client();
      caller.send(GET);
      const answer = await caller.answer();
      expect(answer?.headers).toMatchObject({
        allow: "POST",
        "content-type": "text/plain",
        "x-content-type-options": "nosniff",
      });
      for (const absent of ["date", "server", "x-powered-by", "access-control-allow-origin"]) {
        expect(answer?.headers).not.toHaveProperty(absent);
      }
    });

    it("tells when the caller has gone, and does not write to it", async () => {
      const held: EdgeRequest[] = [];
      const { client, edge } = await start((request) => held.push(request));
      const caller = await client();
      caller.send(GET);
      await expect.poll(() => held.length).toBe(1);
      const request = held[0] as EdgeRequest;
      expect(request.signal.aborted).toBe(false);
      caller.destroy();
      await expect.poll(() => request.signal.aborted).toBe(true);
      expect(request.answer({ status: 200, body: "{}" })).toBe(false);
      await expect.poll(() => edge.connections()).toBe(0);
    });

    it.each([
      ["headers that do not end", "GET /a HTTP/1.1\r\nHo"],
      ["a body that does not end", `${POST}Content-Length: 5\r\n\r\nhi`],
    ])("answers 408 to %s", async (_what, bytes) => {
      const { client } = await start(echo, { headersTimeoutMs: 100, requestTimeoutMs: 150 });
      const caller = await client();
      caller.send(bytes);
      expect((await caller.answer())?.status).toBe(408);
      caller.socket.end();
      await caller.close();
    });

    it("closes a connection that was idle too long, without a word", async () => {
      const { client } = await start(echo, { keepAliveTimeoutMs: 60 });
      const caller = await client();
      caller.send(GET);
      expect((await caller.answer())?.status).toBe(200);
      await caller.close();
      expect(caller.unread).toBe("");
    });

    it("refuses connections above the limit, and takes one again when another has gone", async () => {
      const { client, edge } = await start(echo, { maxConnections: 1 });
      const first = await client();
      await expect.poll(() => edge.connections()).toBe(1);
      const second = await client();
      second.send(GET);
      expect((await second.answer())?.status).toBe(503);
      first.destroy();
      await expect.poll(() => edge.connections()).toBe(0);
      const third = await client();
      third.send(GET);
      expect((await third.answer())?.status).toBe(200);
    });

    it("drains: takes no connection, answers what is open with Connection: close, closes what is idle", async () => {
      const held: EdgeRequest[] = [];
      const { client, edge, address } = await start((request) => held.push(request));
      const busy = await client();
      busy.send(GET);
      const idle = await client();
      await expect.poll(() => held.length).toBe(1);
      await expect.poll(() => edge.connections()).toBe(2);
      const drained = edge.drain();
      await idle.close();
      await expect
        .poll(
          () =>
            new Promise((resolve) => {
              const late = connect({ host: "127.0.0.1", port: (address as { port: number }).port });
              late.on("connect", () => late.destroy(undefined) && resolve("connected"));
              late.on("error", () => resolve("refused"));
            }),
        )
        .toBe("refused");
      held[0]?.answer({ status: 200, body: "{}" });
      expect((await busy.answer())?.headers.connection).toBe("close");
      busy.socket.end();
      await drained;
      expect(edge.connections()).toBe(0);
    });

    it("closes at once, twice over", async () => {
      const { client, edge } = await start(() => undefined);
      const caller = await client();
      caller.send(GET);
      await edge.close();
      await edge.close();
      await caller.close();
    });
  });
}
