import { RequestError } from "./request-error.js";

/** Scheme and authority of a target in absolute form. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

export interface Path {
  /** Decoded one by one, never normalised: `..` is a name like any other, and no application has it. */
  readonly segments: readonly string[];
  /** The host that a target in absolute form names; it stands above the Host header. */
  readonly authority: string | undefined;
}

/** @throws RequestError `BAD_URL` */
export function parsePath(target: string): Path {
  const absolute = ABSOLUTE.exec(target);
  const origin = absolute === null ? target : target.slice(absolute[0].length) || "/";
  const query = origin.search(/[?#]/);
  const path = query < 0 ? origin : origin.slice(0, query);
  if (!path.startsWith("/")) throw new RequestError("BAD_URL", "the request's target is not a path");
  const segments = path.slice(1).split("/").map(decoded);
  return { segments, authority: absolute?.[1] };
}

function decoded(segment: string): string {
  if (!segment.includes("%")) return segment;
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch (cause) {
    throw new RequestError("BAD_URL", "the request's path has a percent sign that is no escape", { cause });
  }
  if (text.includes("\0")) throw new RequestError("BAD_URL", "the request's path has a NUL");
  return text;
}
