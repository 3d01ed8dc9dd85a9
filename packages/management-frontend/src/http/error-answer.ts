import { ClipperError, type ErrorBody } from "@clipper-serving/spec";
import { TooManyAttemptsError } from "../access/access-errors.js";
import { errorStatus } from "./error-status.js";
import { MethodNotAllowedError } from "./request-errors.js";
import type { Answer } from "./route.js";

/** An error as `/v1` shows it. What is not a ClipperError is a defect of ours: its text may hold anything, and stays in the log. */
export function errorAnswer(error: unknown, requestId: string): Answer {
  const { status, words } = errorStatus(error);
  const body: ErrorBody =
    ClipperError.isInstance(error) && status !== 500
      ? {
          error: words,
          cause: error.message,
          code: error.code,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
          ...(Object.keys(error.facts).length === 0 ? {} : { facts: error.facts }),
          request_id: requestId,
        }
      : {
          error: words,
          cause: "the management frontend failed unexpectedly; its log says more under this request_id",
          code: "INTERNAL",
          request_id: requestId,
        };
  return { status, headers: errorHeaders(error), body };
}

/** The headers an error's status asks for, whatever the shape of the body. */
export function errorHeaders(error: unknown): Record<string, string> {
  const { status, retryAfter } = errorStatus(error);
  return {
    ...(status === 401 ? { "www-authenticate": 'Bearer realm="clipper"' } : {}),
    ...(MethodNotAllowedError.isInstance(error) ? { allow: error.allowed.join(", ") } : {}),
    ...(TooManyAttemptsError.isInstance(error)
      ? { "retry-after": String(Math.ceil(error.retryAfterMs / 1_000)) }
      : {}),
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
  };
}
