import { type IncomingMessage, request } from "node:http";
import type { StateHead, WatchEvent } from "@clipper-serving/spec";
import { eventually } from "./eventually.js";
import { TOKEN } from "./frontend.js";

export interface WatchReader extends Disposable {
  readonly events: readonly WatchEvent[];
  readonly ended: boolean;
  /** Resolves with the first event that matches. */
  find(matches: (event: WatchEvent) => boolean, timeoutMs?: number): Promise<WatchEvent>;
}

/** Opens `GET /v1/watch` and keeps what it tells. */
export async function watch(url: string, head?: StateHead): Promise<WatchReader> {
  const query =
    head === undefined ? "" : `?${new URLSearchParams({ ...head, revision: String(head.revision) })}`;
  const events: WatchEvent[] = [];
  let ended = false;
  let rest: string[] = [];
  const response = await openWatch(`${url}/v1/watch${query}`);
  response.setEncoding("utf8").on("data", (chunk: string) => {
    rest.push(chunk);
    // A long line comes in many pieces: looked through once, when it is whole.
    if (!chunk.includes("\n")) return;
    const lines = rest.join("").split("\n");
    rest = [lines.pop()!];
    for (const line of lines) events.push(JSON.parse(line) as WatchEvent);
  });
  response.on("close", () => {
    ended = true;
  });
  return {
    events,
    get ended() {
      return ended;
    },
    find: (matches, timeoutMs) => eventually(() => events.find(matches), timeoutMs),
    [Symbol.dispose]: () => response.destroy(),
  };
}

/** The answer before anything of it is read. */
export function openWatch(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false, headers: { authorization: `Bearer ${TOKEN}` } }, (response) => {
      // A frontend that goes away ends the stream; the reader shows it as ended.
      response.on("error", () => {});
      resolve(response);
    })
      .on("error", reject)
      .end();
  });
}
