import { ClipperError } from "@clipper-serving/spec";
import type { EdgeFault } from "../edge/http-edge.js";

/** Why a request is refused before, or beside, what its body says. Stable: clients check them. */
export type RequestErrorCode =
  | "MALFORMED_REQUEST"
  | "BAD_HOST_HEADER"
  | "EXPECTATION_FAILED"
  | "URL_TOO_LONG"
  | "HEADERS_TOO_LARGE"
  | "BODY_TOO_LARGE"
  | "REQUEST_TIMEOUT"
  | "OVERLOADED"
  | "BAD_URL"
  | "BAD_HOST"
  | "ORIGIN_DENIED"
  | "NOT_FOUND"
  | "UNKNOWN_APP"
  | "METHOD_NOT_ALLOWED"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "UNSUPPORTED_ENCODING"
  | "BAD_ENCODING"
  | "FEEDBACK_UNSUPPORTED"
  | "NOT_READY"
  | "INTERNAL";

/** A request cannot be answered as it was sent. */
export class RequestError extends ClipperError {
  constructor(
    code: RequestErrorCode,
    message: string,
    more?: { hint?: string; facts?: Readonly<Record<string, unknown>>; cause?: unknown },
  ) {
    super({ code, message, ...more });
  }
}

const FAULTS: Readonly<Record<EdgeFault, readonly [RequestErrorCode, string]>> = {
  malformed: ["MALFORMED_REQUEST", "the request is not HTTP/1.1"],
  http_version: ["MALFORMED_REQUEST", "the request is not of HTTP/1.0 or HTTP/1.1"],
  host: ["BAD_HOST_HEADER", "the request does not have exactly one Host header"],
  transfer_encoding: ["MALFORMED_REQUEST", "the only Transfer-Encoding taken is chunked"],
  expectation: ["EXPECTATION_FAILED", "the only Expect taken is 100-continue"],
  target_too_long: ["URL_TOO_LONG", "the request's target is too long"],
  headers_too_large: ["HEADERS_TOO_LARGE", "the request's headers are too large"],
  too_many_headers: ["HEADERS_TOO_LARGE", "the request has too many headers"],
  body_too_large: ["BODY_TOO_LARGE", "the request's body is too large"],
  too_many_chunks: ["BODY_TOO_LARGE", "the request's body has too many chunks"],
  too_slow: ["REQUEST_TIMEOUT", "the request did not arrive in time"],
  too_many_connections: ["OVERLOADED", "too many connections are open"],
};

/** What an edge refuses by itself, as an error like any other. */
export function faultError(fault: EdgeFault): RequestError {
  const [code, message] = FAULTS[fault];
  return new RequestError(code, message);
}
