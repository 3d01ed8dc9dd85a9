import { ClipperError, type ErrorBody, NotFoundError } from "@clipper-serving/spec";
import type { EdgeResponse } from "../edge/http-edge.js";
import { PredictBodyError } from "../json/predict-body-error.js";
import { type AnswerStatus, statusOf } from "./statuses.js";

/** Clipper's words on what a body should be, to the letter. */
const SCHEMA = '\n  {\n   "input" := [double] | [int] | [string] | [byte] | [float],\n  }\n';
const RETRY_AFTER = ["Retry-After", "1"] as const;

export interface ErrorAnswer extends AnswerStatus {
  readonly response: EdgeResponse;
}

/**
 * @param error whatever was thrown; of what nobody expected, the caller learns nothing
 * @param headers added to those of the answer
 */
export function errorAnswer(error: unknown, requestId: string, headers: readonly string[] = []): ErrorAnswer {
  const known = ClipperError.isInstance(error) ? error : undefined;
  const answer = statusOf(codeOf(known));
  const unexpected = known === undefined || answer.code === "INTERNAL";
  const body: ErrorBody = {
    error: answer.name,
    cause: unexpected ? "An unexpected error occurred!" : causeOf(known),
    code: answer.code,
    ...(unexpected || known.hint === undefined ? {} : { hint: known.hint }),
    ...(unexpected || Object.keys(known.facts).length === 0 ? {} : { facts: factsOf(known) }),
    request_id: requestId,
  };
  return {
    ...answer,
    response: {
      status: answer.status,
      body: JSON.stringify(body),
      headers: [...headers, ...(answer.status === 503 ? RETRY_AFTER : []), "X-Request-Id", requestId],
    },
  };
}

/** The engine says what does not exist; which status that is, depends on what it is here. */
function codeOf(error: ClipperError | undefined): string {
  if (error === undefined) return "INTERNAL";
  const isMissing: boolean = NotFoundError.isInstance(error);
  if (!isMissing) return error.code;
  return error.facts.kind === "version" ? "UNKNOWN_VERSION" : "UNKNOWN_APP";
}

/** One sentence; for a body, in Clipper's form. */
function causeOf(error: ClipperError): string {
  if (!PredictBodyError.isInstance(error) || error.code === "NOT_OBJECT") return shortened(error.message);
  const { offset } = error.facts;
  const text =
    error.code === "BAD_JSON"
      ? `JSON parse error: Invalid value. (offset ${offset})\n`
      : error.code === "EMPTY_BODY"
        ? "JSON parse error: The document is empty. (offset 0)\n"
        : shortened(error.message);
  return `Error parsing JSON: ${text}. Expected JSON schema: ${SCHEMA}`;
}

function factsOf({ facts }: ClipperError): Record<string, unknown> {
  const entries = Object.entries(facts);
  return Object.fromEntries(
    entries.map(([name, fact]) => [name, typeof fact === "string" ? shortened(fact) : fact]),
  );
}

/** A caller's own words may be in the message, at any length. */
function shortened(message: string): string {
  return message.length <= 512 ? message : `${message.slice(0, 512).toWellFormed()}…`;
}
