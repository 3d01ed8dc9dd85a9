import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "@clipper-serving/spec";
import {
  DEFAULT_EDGE_LIMITS,
  type EdgeFault,
  type EdgeLimits,
  type EdgeOptions,
  type EdgeRequest,
  type EdgeResponse,
  type HttpEdge,
} from "./http-edge.js";
import { listen } from "./listen.js";
import { headFault } from "./request-head.js";
import { responseText } from "./response-text.js";

/** What is remembered of one connection. */
interface NodeConnection {
  readonly abort: AbortController;
  /** Requests begun and not yet answered. */
  underWay: number;
  /** The last request begun. */
  latest: IncomingMessage | undefined;
  fault: EdgeFault | undefined;
}

const FAULT_OF_CODE: Readonly<Record<string, EdgeFault>> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "body_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "too_slow",
};

/** HTTP/1.1 on `node:http`: slower, and nothing of ours between the socket and the request. */
export function createNodeHttpEdge(options: EdgeOptions): HttpEdge {
  const limits: EdgeLimits = { ...DEFAULT_EDGE_LIMITS, ...options.limits };
  const connections = new Map<Socket, NodeConnection>();
  let draining = false;
  let drained: Promise<void> | undefined;

  const server = createServer({
    noDelay: true,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    // Room for both, so that what is too long can be told apart.
    maxHeaderSize: limits.maxHeaderBytes + limits.maxTargetBytes,
    requireHostHeader: false,
  });
  server.maxHeadersCount = 0;
  server.on("connection", accept);
  server.on("request", (request, response) => receive(request, response, false));
  server.on("checkContinue", (request, response) => receive(request, response, true));
  server.on("checkExpectation", (request, response) => refuse(request, response, "expectation"));
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    const { promise, resolve } = Promise.withResolvers<EdgeResponse>();
    void promise.then((answer) => {
      const { text, encoding } = responseText(answer, true);
      socket.end(text, encoding);
    });
    begin(request);
    hand(request, Buffer.alloc(0), (answer) => resolve(answer));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
    fail(socket as Socket, FAULT_OF_CODE[error.code ?? ""] ?? "malformed"),
  );

  function accept(socket: Socket): void {
    if (connections.size >= limits.maxConnections) {
      const { text, encoding } = responseText(options.refuse("too_many_connections"), true);
      socket.end(text, encoding, () => socket.destroy());
      return;
    }
    const connection: NodeConnection = {
      abort: new AbortController(),
      underWay: 0,
      latest: undefined,
      fault: undefined,
    };
    connections.set(socket, connection);
    socket.setTimeout(Math.max(limits.keepAliveTimeoutMs, limits.requestTimeoutMs));
    socket.on("end", () => connection.abort.abort());
    socket.on("close", () => {
      connections.delete(socket);
      connection.abort.abort();
    });
  }

  function begin(request: IncomingMessage): void {
    const connection = connections.get(request.socket);
    if (connection === undefined) return;
    connection.underWay += 1;
    connection.latest = request;
  }

  function receive(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    begin(request);
    const fault = faultOf(request);
    if (fault !== undefined) {
      refuse(request, response, fault);
      return;
    }
    if (expectsContinue) response.writeContinue();
    const pieces: Buffer[] = [];
    let bytes = 0;
    request.on("data", (piece: Buffer) => {
      bytes += piece.length;
      pieces.push(piece);
      if (bytes > limits.maxBodyBytes) refuse(request, response, "body_too_large");
      else if (pieces.length > limits.maxChunks) refuse(request, response, "too_many_chunks");
    });
    request.on("end", () => {
      if (response.writableEnded) return;
      const body = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, bytes);
      hand(request, body, (answer, close) => write(request, response, answer, close));
    });
  }

  function faultOf(request: IncomingMessage): EdgeFault | undefined {
    const { rawHeaders, headers, httpVersionMajor, httpVersionMinor, url = "" } = request;
    if (url.length > limits.maxTargetBytes) return "target_too_long";
    if (rawHeaders.length / 2 > limits.maxHeaderFields) return "too_many_headers";
    let bytes = 0;
    let hosts = 0;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] as string;
      bytes += name.length + (rawHeaders[index + 1] as string).length;
      if (name.length === 4 && name.toLowerCase() === "host") hosts += 1;
    }
    if (bytes > limits.maxHeaderBytes) return "headers_too_large";
    return headFault({
      httpMajor: httpVersionMajor,
      httpMinor: httpVersionMinor,
      hosts,
      contentLength: headers["content-length"],
      transferEncoding: headers["transfer-encoding"],
      expect: headers.expect,
      maxBodyBytes: limits.maxBodyBytes,
    });
  }

  function hand(
    request: IncomingMessage,
    body: Buffer,
    give: (answer: EdgeResponse, close: boolean) => void,
  ): void {
    const { headers, method = "GET", url = "", socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined) return;
    const edgeRequest: EdgeRequest = {
      method,
      target: url,
      host: headers.host,
      contentType: headers["content-type"],
      contentEncoding: headers["content-encoding"],
      origin: headers.origin,
      requestId: headers["x-request-id"] as string | undefined,
      traceparent: headers.traceparent as string | undefined,
      body,
      signal: connection.abort.signal,
      answer: (answer) => {
        if (connection.abort.signal.aborted || socket.destroyed) return false;
        connection.underWay -= 1;
        give(answer, headers.upgrade !== undefined);
        if (connection.fault !== undefined) fail(socket, connection.fault);
        return true;
      },
    };
    options.handler(edgeRequest);
  }

  function write(
    request: IncomingMessage,
    response: ServerResponse,
    answer: EdgeResponse,
    close: boolean,
  ): void {
    const { status, body, contentType = "application/json", headers = [] } = answer;
    const bytes = Buffer.byteLength(body);
    const list = [
      "Content-Type",
      contentType,
      "X-Content-Type-Options",
      "nosniff",
      "Content-Length",
      String(bytes),
      ...headers,
    ];
    if (close || draining) list.push("Connection", "close");
    response.sendDate = false;
    response.writeHead(status, list);
    response.end(request.method === "HEAD" ? "" : body, bytes === body.length ? "latin1" : "utf8");
  }

  /** Answers before the whole request was read: what is left of it is thrown away, and the connection closed. */
  function refuse(request: IncomingMessage, response: ServerResponse, fault: EdgeFault): void {
    if (response.writableEnded) return;
    write(request, response, options.refuse(fault), true);
    request.removeAllListeners("data");
    request.resume();
  }

  /** Answers a connection that is no longer read as HTTP, once everything before was answered. */
  function fail(socket: Socket, fault: EdgeFault): void {
    const connection = connections.get(socket);
    if (connection === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    connection.fault = fault;
    const broken = connection.latest?.complete === false ? 1 : 0;
    if (connection.underWay > broken) return;
    const { text, encoding } = responseText(options.refuse(fault), true);
    socket.end(text, encoding, () => socket.destroySoon());
  }

  async function stopListening(): Promise<void> {
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  }

  async function drainOnce(): Promise<void> {
    draining = true;
    const stopped = stopListening();
    await delay(limits.drainIdleMs, undefined, { ref: false });
    server.closeIdleConnections();
    // Of those that never asked anything, the server itself waits for the first request.
    for (const [socket, { latest }] of connections) if (latest === undefined) socket.destroy();
    await stopped;
  }

  return {
    name: "node",
    start: (): Promise<Address> => listen(server, options.address),
    drain(): Promise<void> {
      drained ??= drainOnce();
      return drained;
    },
    async close(): Promise<void> {
      const stopped = stopListening();
      server.closeAllConnections();
      for (const socket of connections.keys()) socket.destroy();
      await stopped;
    },
    connections: () => connections.size,
  };
}
