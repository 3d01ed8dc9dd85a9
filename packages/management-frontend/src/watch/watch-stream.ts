import type { ServerResponse } from "node:http";
import type { Clock, StateHead, WatchEvent } from "@clipper-serving/spec";
import { repeat } from "../repeat.js";
import type { ClusterState } from "../state/cluster-state.js";

export interface WatchStreamsOptions {
  readonly state: ClusterState;
  readonly clock: Clock;
  /** Time between beats, ms. Default 1,000. */
  readonly beatMs?: number;
  /** Bytes one reader may be behind before its connection is dropped, beside what it has to catch up with. Default 8 MiB. */
  readonly maxQueuedBytes?: number;
  readonly onDropped?: (queuedBytes: number) => void;
}

/** The open `GET /v1/watch` answers. */
export class WatchStreams {
  readonly #options: Required<WatchStreamsOptions>;
  /** Each with how many bytes it was given to catch up with: however large the state is, its readers can have it. */
  readonly #open = new Map<ServerResponse, number>();
  #endBeats: (() => void) | undefined;
  #isStopped = false;

  constructor({
    beatMs = 1_000,
    maxQueuedBytes = 8 * 1_024 * 1_024,
    onDropped = () => {},
    ...options
  }: WatchStreamsOptions) {
    this.#options = { ...options, beatMs, maxQueuedBytes, onDropped };
  }

  get size(): number {
    return this.#open.size;
  }

  start(): void {
    const { clock, beatMs: everyMs } = this.#options;
    this.#endBeats = repeat({ clock, everyMs, run: () => this.#beat() });
  }

  /** Answers with the stream; resolves once what lies behind the reader is told. @throws StoreUnavailableError before anything is sent */
  async open(response: ServerResponse, head: StateHead | undefined): Promise<void> {
    const unfollow = await this.#options.state.follow(head, (event) => {
      if (!response.headersSent) {
        response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
      }
      this.#send(response, event);
    });
    if (response.destroyed) return unfollow();
    this.#open.set(response, response.writableLength);
    response.once("close", () => {
      unfollow();
      this.#open.delete(response);
    });
    if (!response.headersSent) {
      response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
      // A reader that is up to date learns at once that it is.
      this.#sendBeat(response);
    }
    if (this.#isStopped) response.end();
  }

  /** Ends all streams, so that their readers look for a frontend that stays. */
  stop(): void {
    this.#isStopped = true;
    this.#endBeats?.();
    for (const response of this.#open.keys()) response.end();
  }

  #beat(): void {
    for (const response of this.#open.keys()) this.#sendBeat(response);
  }

  #sendBeat(response: ServerResponse): void {
    const { head } = this.#options.state;
    if (head !== undefined) this.#send(response, { type: "beat", head });
  }

  #send(response: ServerResponse, event: WatchEvent): void {
    if (response.writableEnded || response.destroyed) return;
    response.write(`${JSON.stringify(event)}\n`);
    const catchUpBytes = this.#open.get(response);
    // Not open yet: it is being told what lies behind it.
    if (catchUpBytes === undefined) return;
    if (event.type === "snapshot") this.#open.set(response, response.writableLength);
    else if (response.writableLength > catchUpBytes + this.#options.maxQueuedBytes) {
      this.#options.onDropped(response.writableLength);
      response.destroy();
    }
  }
}
