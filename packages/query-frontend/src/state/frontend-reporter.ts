import { text } from "node:stream/consumers";
import type { FrontendLease, FrontendReport, StateSnapshot } from "@clipper-serving/spec";
import type { ManagementConnection } from "./management-connection.js";

export interface FrontendReporterOptions {
  readonly management: ManagementConnection;
  readonly report: () => FrontendReport;
  /** What is served by, for a management frontend whose store has lost it. */
  readonly snapshot: () => StateSnapshot | undefined;
  /** Told once when reports stop arriving, and not again before one has arrived. */
  readonly onFailed: (error: unknown) => void;
  readonly everyMs?: number;
}

const REPORT_TIMEOUT_MS = 5_000;

/**
 * Tells the management frontend what this one serves and which replicas it has: at once when that changes, and every second. Where it is asked for the state itself, it
 * gives that too.
 */
export class FrontendReporter {
  readonly #options: FrontendReporterOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #changed = false;
  #failing = false;

  constructor(options: FrontendReporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.changed(), this.#options.everyMs ?? 1_000).unref();
    this.changed();
  }

  /** What comes in one turn, or while a report is under way, is told by one report. */
  changed(): void {
    this.#changed = true;
    if (this.#timer === undefined || this.#stop.signal.aborted) return;
    this.#sending ??= this.#sendAll();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#changed && !this.#stop.signal.aborted) {
      this.#changed = false;
      await this.#send();
    }
    this.#sending = undefined;
  }

  async #send(): Promise<void> {
    const { report, snapshot, onFailed } = this.#options;
    const body = report();
    try {
      const path = `/v1/frontends/${encodeURIComponent(body.id)}`;
      const { snapshotWanted } = JSON.parse(await this.#put(path, body)) as FrontendLease;
      const held = snapshotWanted ? snapshot() : undefined;
      if (held !== undefined) await this.#put(`${path}/snapshot`, held);
      this.#failing = false;
    } catch (error) {
      // The next second tries again; saying so every second helps nobody.
      if (!this.#failing && !this.#stop.signal.aborted) onFailed(error);
      this.#failing = true;
    }
  }

  async #put(path: string, body: unknown): Promise<string> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(REPORT_TIMEOUT_MS)]);
    return text(await this.#options.management.open("PUT", path, { body, signal }));
  }
}
