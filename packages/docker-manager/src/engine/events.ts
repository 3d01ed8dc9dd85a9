import type { IncomingMessage } from "node:http";
import { brokenStream, chunksOf, type EngineClient } from "./engine-client.js";

export interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

export interface EventQuery {
  readonly labels: readonly string[];
  readonly actions: readonly string[];
  /** Seconds since 1970, with a fraction. */
  readonly since?: string | undefined;
  /** Only what happened until then; without it the events go on. */
  readonly until?: string;
  readonly signal?: AbortSignal | undefined;
  /** Told when the engine has begun to answer: what happens from then on is not missed. */
  readonly onOpen?: () => void;
}

/** What the engine says happened to containers. */
export async function* engineEvents(client: EngineClient, query: EventQuery): AsyncGenerator<EngineEvent> {
  const { labels, actions, since, until, signal, onOpen } = query;
  const answer = await client.stream({
    method: "GET",
    path: "/events",
    query: {
      filters: { type: ["container"], label: labels, event: actions },
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    },
    signal,
    answerTimeoutMs: until === undefined ? 0 : 5_000,
  });
  onOpen?.();
  yield* jsonLines(answer, signal);
}

/** The engine puts an end of line after each event, and no promise: objects are told apart by their lines. */
async function* jsonLines(
  answer: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<EngineEvent> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunksOf(answer, { request: "GET /events", signal })) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      const text = rest.subarray(0, end).toString("utf8").trim();
      rest = rest.subarray(end + 1);
      if (text !== "") yield parseEvent(text);
    }
  }
}

function parseEvent(text: string): EngineEvent {
  try {
    return JSON.parse(text) as EngineEvent;
  } catch (cause) {
    throw brokenStream("GET /events", `has a line that is no JSON: ${text.slice(0, 100)}`, cause);
  }
}
