import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { EdgeRequest } from "../edge/http-edge.js";
import { RequestError } from "./request-error.js";

/** Most times larger that a body may become by decoding, once it is above {@link ALWAYS_ALLOWED}. */
const MAX_RATIO = 100;
/** A batch of zeros shrinks more than a hundredfold without being an attack. */
const ALWAYS_ALLOWED = 1024 * 1024;

/** What clients say when their callers said nothing. */
const UNSAID_TYPES: ReadonlySet<string> = new Set(["application/x-www-form-urlencoded", "text/plain"]);

const gunzipAsync = promisify(gunzip);

/**
 * Refuses what is not JSON by its own account. Nothing said, and what curl says of `-d` and `fetch` of a string, is taken for JSON, as Clipper did; but
 * not from a web page, which may send those two anywhere without asking.
 * @throws RequestError `UNSUPPORTED_MEDIA_TYPE`
 */
export function checkContentType({ contentType, origin }: EdgeRequest): void {
  if (contentType === undefined || contentType === "application/json") return;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const isUnsaid = UNSAID_TYPES.has(type) && origin === undefined;
  const isJson = type === "" || type === "application/json" || /^application\/[\w.+-]+\+json$/.test(type);
  if (!isJson && !isUnsaid) {
    throw new RequestError("UNSUPPORTED_MEDIA_TYPE", "the body should be application/json");
  }
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  if (charset !== undefined && !/^charset="?(utf-?8|us-ascii)"?$/.test(charset)) {
    throw new RequestError("UNSUPPORTED_MEDIA_TYPE", "the body should be in UTF-8");
  }
}

export function isEncoded({ contentEncoding }: EdgeRequest): boolean {
  return contentEncoding !== undefined && contentEncoding.toLowerCase() !== "identity";
}

/** @throws RequestError `UNSUPPORTED_ENCODING`, `BAD_ENCODING`, `BODY_TOO_LARGE` */
export async function decodedBody(request: EdgeRequest, maxBytes: number): Promise<Buffer> {
  const coding = request.contentEncoding?.trim().toLowerCase();
  if (coding !== "gzip" && coding !== "x-gzip") {
    throw new RequestError("UNSUPPORTED_ENCODING", "the only Content-Encoding taken is gzip", {
      facts: { accepted: ["gzip"] },
    });
  }
  const maxOutputLength = Math.min(maxBytes, Math.max(ALWAYS_ALLOWED, MAX_RATIO * request.body.length));
  try {
    // Its own copy, because decoding goes on after the handler has returned.
    return await gunzipAsync(Buffer.from(request.body), { maxOutputLength });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new RequestError("BODY_TOO_LARGE", "the request's body is too large once decoded", { cause });
    }
    throw new RequestError("BAD_ENCODING", "the request's body is not gzip", { cause });
  }
}
