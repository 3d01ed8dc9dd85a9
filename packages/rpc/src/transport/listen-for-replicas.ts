import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Address, Clock, ReplicaLink } from "@clipper-serving/spec";
import { InvalidArgumentError, parseAddress } from "@clipper-serving/spec";
import type { RejectReason } from "../codec/frames.js";
import { MAX_FRAME_LENGTH } from "../codec/wire-format.js";
import { type AddressServer, type ServerTls, serveAddress } from "./address-server.js";
import { Greeting } from "./greeting.js";
import { ReplicaRegistry } from "./replica-registry.js";
import { SocketPipe } from "./socket-pipe.js";

/** A replica, or something else, that was sent away. */
export interface RejectedEvent {
  readonly reason: RejectReason;
  readonly text: string;
  /** Of the peer; on a unix socket the socket's own. */
  readonly address: string;
}

export interface ListenForReplicasOptions {
  /** `unix:/PATH`, `tcp:HOST:PORT`, `tls:HOST:PORT`; port 0 lets the system choose. */
  readonly addresses: readonly string[];
  /** The cluster's RPC secret, that replicas prove they know. Needed for every address that is not a unix socket. */
  readonly secret?: Uint8Array;
  /** Needed for `tls:` addresses. */
  readonly tls?: ServerTls;
  readonly clock: Clock;
  /** Counts this frontend's starts; told in WELCOME. */
  readonly epoch: number;
  /** Largest frame length taken, bytes. Default and most 64 MiB. */
  readonly maxFrameBytes?: number;
  /** Connections at once, two for each replica; more are rejected for `limit`. Default 4,096. */
  readonly maxConnections?: number;
  /** Of those, connections that have not proven who they are. Default 1,024. */
  readonly maxUnprovenConnections?: number;
  /** Bytes that may wait to be sent to one replica; more closes its link. Default 128 MiB. */
  readonly maxUnsentBytes?: number;
  /** A replica is connected. Call `listen` on the link at once. */
  readonly onLink: (link: ReplicaLink) => void;
  /** Told of every REJECT that is sent. */
  readonly onRejected?: (event: RejectedEvent) => void;
  /** Where nonces come from. Default the system's. */
  readonly randomBytes?: (length: number) => Uint8Array;
}

/** A frontend's ear for replicas. */
export interface ReplicaListener {
  /** Where it listens, with the ports that were chosen. */
  readonly addresses: readonly string[];
  /** Tells every replica, now and later, which frontends to hold connections to. */
  announcePeers(addresses: readonly string[]): void;
  /** Stops listening and closes every link. May be called twice. */
  close(): Promise<void>;
}

/**
 * @throws InvalidArgumentError when an address cannot be listened on as it is
 * @throws ConflictError with code `ADDRESS_TAKEN` when another process listens there
 */
export async function listenForReplicas(options: ListenForReplicasOptions): Promise<ReplicaListener> {
  const addresses = options.addresses.map((text) => checkAddress(text, options));
  const listener = new SocketListener(options);
  try {
    for (const address of addresses) await listener.listenOn(address);
  } catch (error) {
    await listener.close();
    throw error;
  }
  return listener;
}

function checkAddress(text: string, { secret, tls }: ListenForReplicasOptions): Address {
  const address = parseAddress(text);
  if (address === undefined) {
    throw new InvalidArgumentError({
      argument: "an address to listen on",
      value: text,
      expected: "unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT",
    });
  }
  if (address.kind !== "unix" && (secret === undefined || secret.byteLength === 0)) {
    throw new InvalidArgumentError({
      argument: "secret",
      value: undefined,
      expected: `given, to listen on ${text}`,
      hint: "only a unix socket does without: its directory's permissions stand in for it",
    });
  }
  if (address.kind === "tls" && tls === undefined) {
    throw new InvalidArgumentError({
      argument: "tls",
      value: undefined,
      expected: `a certificate and its key, to listen on ${text}`,
    });
  }
  return address;
}

class SocketListener implements ReplicaListener {
  readonly #options: ListenForReplicasOptions;
  readonly #maxFrameBytes: number;
  readonly #maxConnections: number;
  readonly #maxUnproven: number;
  readonly #registry: ReplicaRegistry;
  readonly #servers: AddressServer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #unproven = new Set<Greeting>();

  constructor(options: ListenForReplicasOptions) {
    this.#options = options;
    this.#maxFrameBytes = Math.min(options.maxFrameBytes ?? MAX_FRAME_LENGTH, MAX_FRAME_LENGTH);
    this.#maxConnections = options.maxConnections ?? 4096;
    this.#maxUnproven = options.maxUnprovenConnections ?? 1024;
    this.#registry = new ReplicaRegistry({
      clock: options.clock,
      epoch: options.epoch,
      maxFrameBytes: this.#maxFrameBytes,
      onLink: options.onLink,
    });
  }

  get addresses(): readonly string[] {
    return this.#servers.map((server) => server.address);
  }

  async listenOn(address: Address): Promise<void> {
    const server = await serveAddress({
      address,
      tls: this.#options.tls,
      mayConnect: (socket) => this.#mayConnect(socket),
      onSocket: (socket, peer) => this.#greet(socket, peer, address.kind !== "unix"),
    });
    this.#servers.push(server);
  }

  announcePeers(addresses: readonly string[]): void {
    this.#registry.announcePeers(addresses);
  }

  async close(): Promise<void> {
    const closing = this.#servers.map((server) => server.close());
    for (const greeting of this.#unproven) greeting.connection.reject("draining", "the frontend goes");
    this.#registry.close("the frontend stopped listening");
    for (const socket of this.#sockets) socket.destroySoon();
    await Promise.all(closing);
  }

  /** Well over the cap not even REJECT is sent: saying no costs something too. */
  #mayConnect(socket: Socket): boolean {
    if (this.#sockets.size >= 2 * this.#maxConnections) return false;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return true;
  }

  #greet(socket: Socket, peer: string, mustProve: boolean): void {
    const { clock, secret, maxUnsentBytes = 2 * MAX_FRAME_LENGTH, onRejected } = this.#options;
    const greeting = new Greeting(new SocketPipe({ socket, peer, clock }), {
      clock,
      secret: mustProve ? secret : undefined,
      maxFrameBytes: this.#maxFrameBytes,
      maxUnsentBytes,
      randomBytes: this.#options.randomBytes ?? randomBytes,
      onRejecting: (reason, text) => onRejected?.({ reason, text, address: peer }),
      onReplica: (connection, hello) => {
        this.#unproven.delete(greeting);
        this.#registry.admit(connection, hello);
      },
    });
    this.#unproven.add(greeting);
    socket.once("close", () => this.#unproven.delete(greeting));
    if (this.#unproven.size > this.#maxUnproven || this.#sockets.size > this.#maxConnections) {
      greeting.connection.reject("limit", "too many connections");
    }
  }
}
