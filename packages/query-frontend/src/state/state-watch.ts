import { setTimeout as delay } from "node:timers/promises";
import {
  type ClipperError,
  ProtocolError,
  StoreRegressedError,
  TimeoutError,
  type WatchEvent,
} from "@clipper-serving/spec";
import type { Applied, KnownState } from "./known-state.js";
import type { ManagementConnection } from "./management-connection.js";
import { ndjson } from "./ndjson.js";

export interface StateWatchOptions {
  readonly management: ManagementConnection;
  readonly state: KnownState;
  /** The state has changed; called before the next event is read. */
  readonly onApplied: () => void;
  /** The store has lost something, and what was known is kept. */
  readonly onRegressed: (error: StoreRegressedError) => void;
  readonly onConnected: () => void;
  /** The stream ended, for the reason given; another is tried. */
  readonly onDisconnected: (error: unknown) => void;
  readonly times?: Partial<WatchTimes>;
}

export interface WatchTimes {
  /** Without an event for so long, a stream is dead. The other side sends one every second. */
  readonly idleMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

const DEFAULT_TIMES: WatchTimes = { idleMs: 5_000, minBackoffMs: 50, maxBackoffMs: 2_000 };

/** Follows the state: one stream at a time, taken up again where the last one ended. */
export class StateWatch {
  readonly #options: StateWatchOptions;
  readonly #times: WatchTimes;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #connected = false;
  #regressions = 0;

  constructor(options: StateWatchOptions) {
    this.#options = options;
    this.#times = { ...DEFAULT_TIMES, ...options.times };
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  get regressions(): number {
    return this.#regressions;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#follow(() => {
          failures = 0;
        });
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#options.onDisconnected(error);
      }
      this.#connected = false;
      failures += 1;
      await this.#backOff(failures);
    }
  }

  async #backOff(failures: number): Promise<void> {
    const { minBackoffMs, maxBackoffMs } = this.#times;
    const longest = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(failures, 10));
    try {
      await delay(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#stop.signal });
    } catch {
      // Told to stop while waiting: the loop sees it.
    }
  }

  /** One stream from its beginning to its end. */
  async #follow(onHealthy: () => void): Promise<void> {
    const { management, state } = this.#options;
    const idle = new AbortController();
    const timer = setTimeout(() => idle.abort(idleError(this.#times.idleMs)), this.#times.idleMs);
    const signal = AbortSignal.any([idle.signal, this.#stop.signal]);
    try {
      const response = await management.open("GET", watchPath(state), { signal });
      response.socket.setTimeout(0);
      const ended = () => response.destroy(signal.reason as Error);
      signal.addEventListener("abort", ended, { once: true });
      for await (const event of ndjson(response)) {
        timer.refresh();
        if (!this.#connected) {
          this.#connected = true;
          this.#options.onConnected();
        }
        this.#apply(event as WatchEvent);
        onHealthy();
      }
      throw new ProtocolError({ message: "the management frontend ended the stream" });
    } catch (error) {
      throw idle.signal.aborted ? (idle.signal.reason as ClipperError) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #apply(event: WatchEvent): void {
    const { state, onApplied } = this.#options;
    switch (event.type) {
      case "snapshot":
        this.#judge(state.applySnapshot(event.snapshot), event.snapshot.head, onApplied);
        break;
      case "commit":
        this.#judge(state.applyCommit(event.commit), event.commit.head, onApplied);
        break;
      case "beat":
        break;
      default:
        // Of a management frontend newer than this one: what it must know, comes as records.
        break;
    }
  }

  /** A stream that cannot be followed any further is ended; the next one begins with a snapshot. */
  #judge(applied: Applied, found: unknown, onApplied: () => void): void {
    if (applied === "applied") onApplied();
    if (applied === "gap") throw new ProtocolError({ message: "the stream of commits has a gap" });
    if (applied === "regressed") {
      this.#regressions += 1;
      const error = new StoreRegressedError({
        store: "cluster's",
        known: this.#options.state.head,
        found,
      });
      this.#options.onRegressed(error);
      throw error;
    }
  }
}

function watchPath({ head }: KnownState): string {
  if (head === undefined) return "/v1/watch";
  const query = new URLSearchParams({
    epoch: head.epoch,
    revision: String(head.revision),
    hash: head.hash,
  });
  return `/v1/watch?${query}`;
}

function idleError(idleMs: number): TimeoutError {
  return new TimeoutError({ what: "an event from the management frontend", timeoutMs: idleMs });
}
