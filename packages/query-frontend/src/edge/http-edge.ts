import type { Address } from "@clipper-serving/spec";

/**
 * Where HTTP meets the frontend: bytes on sockets on one side, whole requests and whole answers on the other.
 *
 * An edge knows nothing of applications or JSON. It takes connections, reads requests within its limits, hands each to the handler, and writes the
 * answers in the order of the requests. Every request that reaches the handler is whole; whatever is malformed, too large or too slow the edge answers
 * itself, with what `refuse` makes of it, and closes the connection.
 *
 * Shared suite: `describeEdge` in `test-support`.
 */
export interface HttpEdge {
  /** `llhttp`, `node`; for logs. */
  readonly name: string;
  /** Starts to listen. @returns where, with the port the system chose */
  start(): Promise<Address>;
  /**
   * Takes no more connections; requests on those that are open are still answered, each with `Connection: close`.
   * Resolves when all connections are gone. May be called twice.
   */
  drain(): Promise<void>;
  /** Closes everything at once. May be called twice. */
  close(): Promise<void>;
  connections(): number;
}

/**
 * One whole request, and the way to answer it. Header values are as sent, undefined when absent; of the headers only these are looked at.
 */
export interface EdgeRequest {
  readonly method: string;
  /** The request target as sent: neither decoded nor normalised. */
  readonly target: string;
  readonly host: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly origin: string | undefined;
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
  /** Valid until the handler returns: what is needed longer is copied. */
  readonly body: Buffer;
  /** Aborted when the caller's connection is gone. One for all requests of a connection; to be listened to, and good for nothing else. */
  readonly signal: AbortSignal;
  /**
   * Exactly once, now or later.
   * @returns false when the caller had gone, and nothing was written
   */
  answer(response: EdgeResponse): boolean;
}

export interface EdgeResponse {
  readonly status: number;
  readonly body: string;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** More headers, name before value: `["Allow", "POST"]`. */
  readonly headers?: readonly string[];
}

/** Called once per request, must not throw. */
export type EdgeHandler = (request: EdgeRequest) => void;

/** Why an edge answers by itself. */
export type EdgeFault =
  | "malformed"
  | "http_version"
  | "host"
  | "transfer_encoding"
  | "expectation"
  | "target_too_long"
  | "headers_too_large"
  | "too_many_headers"
  | "body_too_large"
  | "too_many_chunks"
  | "too_slow"
  | "too_many_connections";

export interface EdgeLimits {
  readonly maxConnections: number;
  /** Of a request's body as sent, before any decoding. */
  readonly maxBodyBytes: number;
  readonly maxTargetBytes: number;
  /** Of all header names and values together. */
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
  /** Chunks of one body. */
  readonly maxChunks: number;
  /** From a connection's start, or a request's first byte, to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** From a request's first byte to its last. */
  readonly requestTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** How long a caller may leave an answer unread. */
  readonly writeTimeoutMs: number;
  /** How long idle connections stay open when draining, for the requests that are already on their way. */
  readonly drainIdleMs: number;
  /** How often timeouts are looked at. */
  readonly checkEveryMs: number;
}

export const DEFAULT_EDGE_LIMITS: EdgeLimits = {
  maxConnections: 10_000,
  maxBodyBytes: 8 * 1024 * 1024,
  maxTargetBytes: 8 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxHeaderFields: 100,
  maxChunks: 65_536,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 72_000,
  writeTimeoutMs: 30_000,
  drainIdleMs: 200,
  checkEveryMs: 500,
};

export interface EdgeOptions {
  readonly address: Address;
  readonly handler: EdgeHandler;
  /** What an edge answers when it answers by itself. */
  readonly refuse: (fault: EdgeFault) => EdgeResponse;
  readonly limits?: Partial<EdgeLimits>;
}

export type CreateHttpEdge = (options: EdgeOptions) => HttpEdge;
