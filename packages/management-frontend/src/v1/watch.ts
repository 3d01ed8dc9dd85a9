import type { StateHead } from "@clipper-serving/spec";
import { BadRequestError } from "../http/request-errors.js";
import type { Route } from "../http/route.js";
import type { WatchStreams } from "../watch/watch-stream.js";

export function watchRoutes(streams: WatchStreams): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/watch",
      handle: ({ query }) => {
        const head = headOf(query);
        return { stream: (response) => streams.open(response, head) };
      },
    },
  ];
}

/** @returns the head the reader has; undefined when it names none */
function headOf(query: Readonly<Record<string, unknown>>): StateHead | undefined {
  const { epoch, revision, hash } = query;
  if (epoch === undefined && revision === undefined && hash === undefined) return undefined;
  if (typeof epoch === "string" && typeof hash === "string" && /^\d{1,15}$/.test(String(revision))) {
    return { epoch, revision: Number(revision), hash };
  }
  throw new BadRequestError({
    code: "INVALID_ARGUMENT",
    message: "epoch, revision and hash are given together, once each, or none of them",
    facts: { argument: "epoch, revision, hash" },
  });
}
