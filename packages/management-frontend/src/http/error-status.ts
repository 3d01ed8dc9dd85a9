import {
  ClipperError,
  ConflictError,
  HeadMismatchError,
  InvalidArgumentError,
  InvalidNameError,
  NotFoundError,
  RefusedError,
  StoreRegressedError,
  StoreUnavailableError,
} from "@clipper-serving/spec";
import { TooManyAttemptsError, UnauthorizedError } from "../access/access-errors.js";
import { MisdirectedRequestError } from "../access/host-and-origin.js";
import {
  BadRequestError,
  MethodNotAllowedError,
  PreconditionFailedError,
  TooLargeError,
  UnknownPathError,
  UnsupportedMediaTypeError,
} from "./request-errors.js";

/** What an error means in HTTP, and its name in words. */
export interface ErrorStatus {
  readonly status: number;
  readonly words: string;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
}

const INTERNAL: ErrorStatus = { status: 500, words: "Internal error" };

/** By code, where the code says more than the class. */
const BY_CODE: ReadonlyMap<string, ErrorStatus> = new Map([
  ["EMPTY_BODY", { status: 400, words: "Json error" }],
  ["BAD_UTF8", { status: 400, words: "Json error" }],
  ["BAD_JSON", { status: 400, words: "Json error" }],
  ["TOO_DEEP", { status: 400, words: "Json error" }],
  ["FORBIDDEN_KEY", { status: 400, words: "Json error" }],
  ["NOT_OBJECT", { status: 400, words: "Json error" }],
  ["RECORD_CORRUPT", { status: 503, words: "Record damaged", retryAfter: 30 }],
]);

type ErrorClass = typeof ClipperError | (abstract new (...args: never[]) => ClipperError);

/** By class, the derived before what they derive from. */
const BY_CLASS: readonly (readonly [errors: ErrorClass, status: ErrorStatus])[] = [
  [BadRequestError, { status: 400, words: "Invalid request" }],
  [InvalidNameError, { status: 400, words: "Invalid name" }],
  [InvalidArgumentError, { status: 400, words: "Invalid request" }],
  [UnauthorizedError, { status: 401, words: "Not authorized" }],
  [RefusedError, { status: 403, words: "Refused" }],
  [UnknownPathError, { status: 404, words: "Not found" }],
  [NotFoundError, { status: 404, words: "Not found" }],
  [MethodNotAllowedError, { status: 405, words: "Method not allowed" }],
  [HeadMismatchError, { status: 503, words: "Too much at once", retryAfter: 1 }],
  [ConflictError, { status: 409, words: "Conflict" }],
  [PreconditionFailedError, { status: 412, words: "Changed meanwhile" }],
  [TooLargeError, { status: 413, words: "Too large" }],
  [UnsupportedMediaTypeError, { status: 415, words: "Unsupported media type" }],
  [MisdirectedRequestError, { status: 421, words: "Misdirected request" }],
  [TooManyAttemptsError, { status: 429, words: "Too many attempts" }],
  [StoreUnavailableError, { status: 503, words: "State store unavailable", retryAfter: 1 }],
  [StoreRegressedError, { status: 503, words: "State store lost changes", retryAfter: 30 }],
];

/** The one place where an error becomes a status. */
export function errorStatus(error: unknown): ErrorStatus {
  if (!ClipperError.isInstance(error)) return INTERNAL;
  return (
    BY_CODE.get(error.code) ??
    BY_CLASS.find(([errors]) => ClipperError.isInstance.call(errors as typeof ClipperError, error))?.[1] ??
    INTERNAL
  );
}
