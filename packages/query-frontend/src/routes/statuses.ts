import type { PredictBodyCode } from "../json/predict-body-error.js";
import type { RequestErrorCode } from "./request-error.js";

/** What the query engine refuses a query with. */
type EngineCode = "UNKNOWN_VERSION" | "NO_LINKED_MODEL";

type AnswerCode = RequestErrorCode | PredictBodyCode | EngineCode;

const JSON_ERROR = "Json error";
const QUERY_ERROR = "Query processing error";
const REQUEST_ERROR = "Request error";

/** The one place where an error's code becomes a status, and the name that Clipper's clients know. */
const STATUSES: Readonly<Record<AnswerCode, readonly [status: number, name: string]>> = {
  MALFORMED_REQUEST: [400, REQUEST_ERROR],
  BAD_HOST_HEADER: [400, REQUEST_ERROR],
  EXPECTATION_FAILED: [417, REQUEST_ERROR],
  URL_TOO_LONG: [414, REQUEST_ERROR],
  HEADERS_TOO_LARGE: [431, REQUEST_ERROR],
  BODY_TOO_LARGE: [413, REQUEST_ERROR],
  REQUEST_TIMEOUT: [408, REQUEST_ERROR],
  OVERLOADED: [503, "Overloaded"],
  BAD_URL: [400, REQUEST_ERROR],
  BAD_HOST: [421, REQUEST_ERROR],
  ORIGIN_DENIED: [403, REQUEST_ERROR],
  NOT_FOUND: [404, REQUEST_ERROR],
  UNKNOWN_APP: [404, QUERY_ERROR],
  METHOD_NOT_ALLOWED: [405, REQUEST_ERROR],
  UNSUPPORTED_MEDIA_TYPE: [415, REQUEST_ERROR],
  UNSUPPORTED_ENCODING: [415, REQUEST_ERROR],
  BAD_ENCODING: [400, REQUEST_ERROR],
  FEEDBACK_UNSUPPORTED: [501, QUERY_ERROR],
  NOT_READY: [503, "Not ready"],
  INTERNAL: [500, "Internal error"],

  EMPTY_BODY: [400, JSON_ERROR],
  BAD_UTF8: [400, JSON_ERROR],
  BAD_JSON: [400, JSON_ERROR],
  NOT_OBJECT: [400, JSON_ERROR],
  TOO_DEEP: [400, JSON_ERROR],
  TOO_MANY_KEYS: [400, JSON_ERROR],
  DUPLICATE_KEY: [400, JSON_ERROR],
  FORBIDDEN_KEY: [400, JSON_ERROR],
  MISSING_INPUT: [400, JSON_ERROR],
  AMBIGUOUS_INPUT: [400, JSON_ERROR],
  TYPE: [400, JSON_ERROR],
  SHAPE: [400, JSON_ERROR],
  EMPTY_INPUT: [400, JSON_ERROR],
  EMPTY_BATCH: [400, JSON_ERROR],
  BATCH_TOO_LARGE: [413, JSON_ERROR],
  TOO_MANY_ELEMENTS: [413, JSON_ERROR],
  NON_FINITE: [400, JSON_ERROR],
  OUT_OF_RANGE: [400, JSON_ERROR],
  BAD_BASE64: [400, JSON_ERROR],
  BAD_UNICODE: [400, JSON_ERROR],

  UNKNOWN_VERSION: [400, QUERY_ERROR],
  NO_LINKED_MODEL: [400, QUERY_ERROR],
};

export interface AnswerStatus {
  readonly code: AnswerCode;
  readonly status: number;
  readonly name: string;
}

/** @returns the status of an error's code; of one that nobody expected, 500 */
export function statusOf(code: string): AnswerStatus {
  const known = Object.hasOwn(STATUSES, code) ? (code as AnswerCode) : "INTERNAL";
  const [status, name] = STATUSES[known];
  return { code: known, status, name };
}
