import type { Address, Clock, Random, ReplicaIdentity } from "@clipper-serving/spec";
import { RefusedError } from "@clipper-serving/spec";
import { MAX_FRAME_LENGTH } from "../codec/wire-format.js";
import { type BatchHandler, BatchServer } from "./batch-server.js";
import { type ClientTls, dial } from "./dial.js";
import type { FrameConnection } from "./frame-connection.js";
import { introduce } from "./introduce.js";
import { FIRST_REDIAL_MICROS, LAST_REDIAL_MICROS } from "./protocol-times.js";
import { ReplicaSession } from "./replica-session.js";

export interface FrontendConnectionOptions {
  readonly address: Address;
  readonly identity: ReplicaIdentity;
  readonly secret: Uint8Array | undefined;
  readonly tls: ClientTls | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly handler: BatchHandler;
  readonly onConnected: () => void;
  readonly onDisconnected: (reason: string) => void;
  readonly onRecycle: (text: string) => void;
  readonly onPeers: (addresses: readonly string[]) => void;
  /** The frontend sent the replica away for good. */
  readonly onRefused: (error: RefusedError) => void;
}

/** Reasons that another try does not mend. */
const LASTING_REASONS: ReadonlySet<unknown> = new Set(["version", "authentication", "protocol"]);
const TRIES = 3;

/** A replica's connections to one frontend, dialled again whenever they close. */
export class FrontendConnection {
  readonly #options: FrontendConnectionOptions;
  readonly #server: BatchServer;
  #session: ReplicaSession | undefined;
  #isOver = false;
  #failures = 0;
  #refusals = 0;
  #callOffRedial: () => void = () => {};
  #onDrained: (() => void) | undefined;

  constructor(options: FrontendConnectionOptions) {
    this.#options = options;
    this.#server = new BatchServer({
      clock: options.clock,
      handler: options.handler,
      onIdle: () => this.#onDrained?.(),
    });
  }

  start(): void {
    void this.#connect();
  }

  /** Resolves when what the frontend had sent is answered. */
  async drain(): Promise<void> {
    this.#callOffRedial();
    const session = this.#session;
    if (session === undefined) {
      this.close();
      return;
    }
    session.drain("the replica goes");
    if (!this.#server.isIdle) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
    this.#isOver = true;
    session.end("drained");
  }

  close(): void {
    this.#isOver = true;
    this.#callOffRedial();
    this.#session?.close("the replica closed");
  }

  async #connect(): Promise<void> {
    const { clock } = this.#options;
    try {
      const [data, control] = await this.#openBoth();
      if (this.#isOver) {
        data.close("the replica closed");
        control.close("the replica closed");
        return;
      }
      this.#begin(data, control);
    } catch (error) {
      if (this.#isOver) return;
      if (RefusedError.isInstance(error) && LASTING_REASONS.has(error.facts.reason)) {
        this.#refusals += 1;
        if (this.#refusals === TRIES) {
          this.#isOver = true;
          this.#options.onRefused(error);
          return;
        }
      }
      // Not connected is an ordinary state of a replica: it says so, and dials again.
      this.#options.onDisconnected(error instanceof Error ? error.message : String(error));
      this.#callOffRedial = clock.after(this.#nextDelayMicros(), () => void this.#connect());
    }
  }

  /** Both or none. */
  async #openBoth(): Promise<[FrameConnection, FrameConnection]> {
    const opening = [this.#open("data"), this.#open("control")] as const;
    const [data, control] = await Promise.allSettled(opening);
    if (data.status === "fulfilled" && control.status === "fulfilled") return [data.value, control.value];
    for (const half of [data, control]) {
      if (half.status === "fulfilled") half.value.close("the other connection failed");
    }
    throw data.status === "rejected" ? data.reason : (control as PromiseRejectedResult).reason;
  }

  async #open(role: "data" | "control"): Promise<FrameConnection> {
    const { address, clock, tls, identity, secret } = this.#options;
    const pipe = await dial(address, { clock, tls });
    return introduce({
      pipe,
      clock,
      identity,
      role,
      secret,
      maxFrameBytes: MAX_FRAME_LENGTH,
      maxUnsentBytes: 2 * MAX_FRAME_LENGTH,
    });
  }

  #begin(data: FrameConnection, control: FrameConnection): void {
    const { onPeers, onRecycle, onConnected } = this.#options;
    this.#failures = 0;
    this.#refusals = 0;
    const session = new ReplicaSession({ data, control });
    this.#session = session;
    this.#server.start(session);
    onConnected();
    session.listen({
      batch: (batch) => this.#server.take(batch),
      cancel: (ids) => this.#server.cancel(ids),
      recycle: onRecycle,
      // It closes when it has its answers; then it is dialled again, as after any close.
      draining: () => {},
      peers: onPeers,
      closed: (reason) => this.#lost(reason),
    });
  }

  #lost(reason: string): void {
    this.#session = undefined;
    this.#server.stop();
    this.#onDrained?.();
    this.#options.onDisconnected(reason);
    if (this.#isOver) return;
    this.#callOffRedial = this.#options.clock.after(this.#nextDelayMicros(), () => void this.#connect());
  }

  #nextDelayMicros(): number {
    const delay = Math.min(LAST_REDIAL_MICROS, FIRST_REDIAL_MICROS * 2 ** this.#failures);
    this.#failures += 1;
    return delay * (0.5 + this.#options.random() / 2);
  }
}
