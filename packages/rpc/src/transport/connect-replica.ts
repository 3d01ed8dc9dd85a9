import { randomBytes } from "node:crypto";
import type { Address, Clock, Random, ReplicaIdentity } from "@clipper-serving/spec";
import { InvalidArgumentError, parseAddress } from "@clipper-serving/spec";
import type { BatchHandler } from "./batch-server.js";
import type { ClientTls } from "./dial.js";
import { FrontendConnection, type FrontendConnectionOptions } from "./frontend-connection.js";

export interface ConnectReplicaOptions {
  /** The frontends to dial first; a frontend that announces others replaces them. */
  readonly addresses: readonly string[];
  /** Who the replica is. Without an incarnation it draws one. */
  readonly identity: Omit<ReplicaIdentity, "incarnation"> & { readonly incarnation?: string };
  readonly secret?: Uint8Array;
  readonly tls?: ClientTls;
  readonly clock: Clock;
  /** Spreads redials. */
  readonly random: Random;
  /** The model. Batches of one frontend come one after another; several frontends' batches may overlap. */
  readonly handler: BatchHandler;
  /** Connected to a frontend. */
  readonly onConnected?: (address: string) => void;
  /** No longer, or not yet, connected to a frontend; it is dialled again. */
  readonly onDisconnected?: (address: string, reason: string) => void;
  /** A frontend wants the process to end itself and be started again. Default: nothing. */
  readonly onRecycle?: (text: string) => void;
}

/** A replica that serves. */
export interface ReplicaConnection {
  /**
   * Settles when nothing more will be served: resolves after `close` and `drain`; rejects with the frontend's RefusedError when one has sent the
   * replica away three times for a reason that stays (a container exits with status 64 then).
   */
  readonly done: Promise<void>;
  /** Asks for no more batches, answers what is here, and closes. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** The replica's end: dials, introduces itself, serves, and dials again for ever. */
export function connectReplica(options: ConnectReplicaOptions): ReplicaConnection {
  const { incarnation = randomBytes(16).toString("hex") } = options.identity;
  return new Replica(options, { ...options.identity, incarnation });
}

class Replica implements ReplicaConnection {
  readonly done: Promise<void>;
  readonly #options: ConnectReplicaOptions;
  readonly #identity: ReplicaIdentity;
  readonly #frontends = new Map<string, FrontendConnection>();
  #settle: (error?: unknown) => void = () => {};

  constructor(options: ConnectReplicaOptions, identity: ReplicaIdentity) {
    this.#options = options;
    this.#identity = identity;
    this.done = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Whoever does not look at `done` learns of a refusal by `onDisconnected`.
    this.done.catch(() => {});
    this.#hold(options.addresses);
  }

  async drain(): Promise<void> {
    await Promise.all([...this.#frontends.values()].map((frontend) => frontend.drain()));
    await this.close();
  }

  async close(): Promise<void> {
    for (const frontend of this.#frontends.values()) frontend.close();
    this.#frontends.clear();
    this.#settle();
  }

  /** Holds connections to these frontends and no others. */
  #hold(addresses: readonly string[]): void {
    for (const [address, frontend] of this.#frontends) {
      if (addresses.includes(address)) continue;
      this.#frontends.delete(address);
      frontend.close();
    }
    for (const text of addresses) {
      if (this.#frontends.has(text)) continue;
      const frontend = new FrontendConnection(this.#optionsFor(text, parse(text)));
      this.#frontends.set(text, frontend);
      frontend.start();
    }
  }

  #optionsFor(text: string, address: Address): FrontendConnectionOptions {
    const { secret, tls, clock, random, handler, onConnected, onDisconnected, onRecycle } = this.#options;
    return {
      address,
      identity: this.#identity,
      secret: address.kind === "unix" ? undefined : secret,
      tls,
      clock,
      random,
      handler,
      onConnected: () => onConnected?.(text),
      onDisconnected: (reason) => onDisconnected?.(text, reason),
      onRecycle: (reason) => onRecycle?.(reason),
      onPeers: (addresses) => {
        if (addresses.length > 0) this.#hold(addresses);
      },
      onRefused: (error) => {
        this.#settle(error);
        void this.close();
      },
    };
  }
}

function parse(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError({
    argument: "a frontend's address",
    value: text,
    expected: "unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT",
  });
}
