import { ClipperError } from "@clipper-serving/spec";
import { errorHeaders } from "../http/error-answer.js";
import { errorStatus } from "../http/error-status.js";
import type { Answer } from "../http/route.js";

/** What Clipper answered with 400, whatever it was. */
const CLIPPER_SENT_400: ReadonlySet<number> = new Set([400, 404, 409, 412]);

/** An error as Clipper's clients know it: plain text, 400 where Clipper sent 400. */
export function clipperErrorAnswer(error: unknown, requestId: string): Answer {
  const { status } = errorStatus(error);
  const body =
    ClipperError.isInstance(error) && status !== 500
      ? error.message
      : `An unexpected error occurred! The log says more under ${requestId}`;
  return { status: CLIPPER_SENT_400.has(status) ? 400 : status, headers: errorHeaders(error), body };
}
