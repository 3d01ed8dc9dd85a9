import type { Clock } from "@clipper-serving/spec";
import type { Frame, HelloFrame } from "../codec/frames.js";
import { malformed } from "../codec/malformed.js";
import { NONCE_BYTES, RPC_VERSION } from "../codec/wire-format.js";
import type { BytePipe } from "./byte-pipe.js";
import { FrameConnection, type FrameConnectionOptions } from "./frame-connection.js";
import { isProven } from "./proof.js";
import { HELLO_TIMEOUT_MICROS } from "./protocol-times.js";

export interface GreetingOptions extends Omit<FrameConnectionOptions, "pipe"> {
  readonly clock: Clock;
  /** Without one nothing is to be proven: the file system's permissions stand in for it. */
  readonly secret: Uint8Array | undefined;
  readonly randomBytes: (length: number) => Uint8Array;
  /** The peer is who it says. It waits for WELCOME or REJECT. */
  readonly onReplica: (connection: FrameConnection, hello: HelloFrame) => void;
}

/** Names become keys and labels everywhere behind this border: nothing that could end one and begin another. */
const NAME = /^[A-Za-z0-9._-]+$/;

/** A frontend's part of the handshake up to the proof. */
export class Greeting {
  readonly connection: FrameConnection;
  readonly #options: GreetingOptions;
  readonly #callOffTimeout: () => void;
  #hello: HelloFrame | undefined;
  #nonce: Uint8Array | undefined;
  #isOver = false;

  constructor(pipe: BytePipe, options: GreetingOptions) {
    this.#options = options;
    this.#callOffTimeout = options.clock.after(HELLO_TIMEOUT_MICROS, () =>
      this.connection.reject("limit", "no valid HELLO in time"),
    );
    this.connection = new FrameConnection(
      { ...options, pipe },
      { frame: (frame) => this.#receive(frame), closed: () => this.#callOffTimeout() },
    );
  }

  #receive(frame: Frame): void {
    if (frame.type === "HELLO" && this.#hello === undefined) this.#receiveHello(frame);
    else if (frame.type === "PROOF" && this.#nonce !== undefined && !this.#isOver)
      this.#receiveProof(frame.proof);
    else if (frame.type === "REJECT")
      this.connection.close(`the replica rejected the connection: ${frame.text}`);
    else throw malformed(`a ${frame.type} came during the handshake`);
  }

  #receiveHello(hello: HelloFrame): void {
    if (hello.versionMin > RPC_VERSION || hello.versionMax < RPC_VERSION) {
      this.connection.reject("version", String(RPC_VERSION));
      return;
    }
    if (hello.role === "peer") throw malformed("the role peer is reserved");
    if (!NAME.test(hello.model) || !NAME.test(hello.version)) {
      throw malformed("model and version are made of letters, digits, '.', '_' and '-'");
    }
    this.#hello = hello;
    if (this.#options.secret === undefined) {
      this.#succeed(hello);
      return;
    }
    this.#nonce = this.#options.randomBytes(NONCE_BYTES);
    this.connection.send({ type: "CHALLENGE", id: hello.id, mayIgnore: false, nonce: this.#nonce });
  }

  #receiveProof(proof: Uint8Array): void {
    const { secret } = this.#options;
    const [hello, nonce] = [this.#hello, this.#nonce];
    if (secret === undefined || hello === undefined || nonce === undefined) return;
    if (isProven(proof, { secret, nonce, hello })) this.#succeed(hello);
    else this.connection.reject("authentication", "the proof is wrong: is it the same cluster's secret?");
  }

  #succeed(hello: HelloFrame): void {
    this.#isOver = true;
    this.#callOffTimeout();
    this.#options.onReplica(this.connection, hello);
  }
}
