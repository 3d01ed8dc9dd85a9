import type { Clock, ReplicaIdentity, ReplicaLink } from "@clipper-serving/spec";
import type { HelloFrame } from "../codec/frames.js";
import { malformed } from "../codec/malformed.js";
import { RPC_VERSION } from "../codec/wire-format.js";
import { ControlChannel } from "./control-channel.js";
import type { FrameConnection } from "./frame-connection.js";
import { FrontendLink } from "./frontend-link.js";
import { CLAIM_PING_MICROS, HELLO_TIMEOUT_MICROS } from "./protocol-times.js";

export interface ReplicaRegistryOptions {
  readonly clock: Clock;
  readonly epoch: number;
  readonly maxFrameBytes: number;
  readonly onLink: (link: ReplicaLink) => void;
}

/** Who holds which replica id: pairs data and control, and keeps a second claimant out while the first is alive. */
export class ReplicaRegistry {
  readonly #options: ReplicaRegistryOptions;
  readonly #claims = new Map<string, Claim>();
  #peers: readonly string[] = [];

  constructor(options: ReplicaRegistryOptions) {
    this.#options = options;
  }

  /** Answers a proven HELLO: WELCOME, or REJECT when another live replica has the id. */
  admit(connection: FrameConnection, hello: HelloFrame): void {
    // Until WELCOME the replica has nothing to say.
    connection.handOver({
      frame: (frame) => {
        throw malformed(`a ${frame.type} came before WELCOME`);
      },
      closed: () => {},
    });
    const older = this.#claims.get(hello.replicaId);
    if (older === undefined || older.incarnation === hello.incarnation) {
      this.#welcome(connection, hello);
      return;
    }
    void older.isAlive().then((isAlive) => {
      if (!connection.isOpen) return;
      if (isAlive) {
        connection.reject("identity", `another replica ${hello.replicaId} is connected`);
        return;
      }
      older.close("another process has its id, and it did not answer a PING");
      // Somebody else may have come meanwhile.
      this.admit(connection, hello);
    });
  }

  /** Also told to every replica that comes later. */
  announcePeers(addresses: readonly string[]): void {
    this.#peers = [...addresses];
    for (const claim of this.#claims.values()) {
      if (claim.link !== undefined) this.#tellPeers(claim.control);
    }
  }

  close(reason: string): void {
    for (const claim of [...this.#claims.values()]) claim.close(reason);
  }

  #welcome(connection: FrameConnection, hello: HelloFrame): void {
    let claim = this.#claims.get(hello.replicaId);
    if (claim?.has(hello.role)) {
      // The same process dials again before its old connection was seen to close.
      claim.close("the replica connected anew");
      claim = undefined;
    }
    if (claim === undefined) {
      const begun = new Claim(hello, this.#options.clock, () => {
        if (this.#claims.get(hello.replicaId) === begun) this.#claims.delete(hello.replicaId);
      });
      claim = begun;
      this.#claims.set(hello.replicaId, begun);
    }
    connection.send({
      type: "WELCOME",
      id: hello.id,
      mayIgnore: false,
      version: RPC_VERSION,
      epoch: this.#options.epoch,
      maxFrameBytes: this.#options.maxFrameBytes,
    });
    claim.add(connection, hello.role);
    const link = claim.pair();
    if (link === undefined) return;
    if (this.#peers.length > 0) this.#tellPeers(claim.control);
    this.#options.onLink(link);
  }

  #tellPeers(control: ControlChannel | undefined): void {
    control?.send({ type: "PEERS", id: 0, mayIgnore: false, addresses: this.#peers });
  }
}

/** One process that holds a replica id, with one or both of its connections. */
class Claim {
  readonly incarnation: string;
  readonly #identity: ReplicaIdentity;
  readonly #clock: Clock;
  readonly #onOver: () => void;
  readonly #callOffPartner: () => void;
  #data: FrameConnection | undefined;
  control: ControlChannel | undefined;
  link: FrontendLink | undefined;
  #aliveness: Promise<boolean> | undefined;

  constructor(hello: HelloFrame, clock: Clock, onOver: () => void) {
    this.incarnation = hello.incarnation;
    this.#identity = identityOf(hello);
    this.#clock = clock;
    this.#onOver = onOver;
    this.#callOffPartner = clock.after(HELLO_TIMEOUT_MICROS, () =>
      this.close("the replica's other connection did not come"),
    );
  }

  has(role: HelloFrame["role"]): boolean {
    return (role === "data" ? this.#data : this.control) !== undefined;
  }

  add(connection: FrameConnection, role: HelloFrame["role"]): void {
    const closed = (reason: string): void => this.close(reason);
    if (role === "control") {
      this.control = new ControlChannel(connection, this.#clock, closed);
      return;
    }
    this.#data = connection;
    connection.handOver({
      frame: (frame) => {
        throw malformed(`a replica sent ${frame.type} before it was sent anything`);
      },
      closed,
    });
  }

  /** @returns the link, once both connections are here */
  pair(): FrontendLink | undefined {
    if (this.#data === undefined || this.control === undefined) return undefined;
    this.#callOffPartner();
    this.link = new FrontendLink({
      identity: this.#identity,
      data: this.#data,
      control: this.control,
      clock: this.#clock,
      onClosed: this.#onOver,
    });
    return this.link;
  }

  /** Asked by both connections of a newcomer; one PING answers both. */
  isAlive(): Promise<boolean> {
    this.#aliveness ??= (this.control?.ping(CLAIM_PING_MICROS) ?? Promise.resolve(false)).finally(() => {
      this.#aliveness = undefined;
    });
    return this.#aliveness;
  }

  close(reason: string): void {
    this.#callOffPartner();
    this.#onOver();
    this.link?.close(reason);
    this.#data?.close(reason);
    this.control?.close(reason);
  }
}

function identityOf(hello: HelloFrame): ReplicaIdentity {
  const { model, version, replicaId, incarnation, inputType, bundleDigest, maxBatchSize } = hello;
  return { model, version, replicaId, incarnation, inputType, bundleDigest, maxBatchSize };
}
