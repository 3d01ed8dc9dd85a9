import { createConnection, type Socket } from "node:net";
import { parseAddress } from "@clipper-serving/spec";
import { FrameDecoder } from "../codec/frame-decoder.js";
import { FrameEncoder } from "../codec/frame-encoder.js";
import type { Frame } from "../codec/frames.js";

/** A peer that sends whatever a test wants, frames or not, and remembers what came back. */
export class RawPeer {
  readonly frames: Frame[] = [];
  isClosed = false;
  readonly #socket: Socket;
  readonly #encoder = new FrameEncoder();

  private constructor(socket: Socket) {
    this.#socket = socket;
    const decoder = new FrameDecoder();
    socket.on("data", (chunk: Buffer) => decoder.push(chunk, (frame) => this.frames.push(frame)));
    socket.on("close", () => {
      this.isClosed = true;
    });
    // A reset is one of the ways a peer closes.
    socket.on("error", () => {});
  }

  static connect(text: string): Promise<RawPeer> {
    const address = parseAddress(text)!;
    return new Promise((resolve, reject) => {
      const socket =
        address.kind === "unix"
          ? createConnection({ path: address.path })
          : createConnection({ host: address.host, port: address.port });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawPeer(socket));
      });
    });
  }

  send(...frames: readonly Frame[]): void {
    for (const frame of frames) for (const chunk of this.#encoder.encode(frame)) this.#socket.write(chunk);
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  get types(): string[] {
    return this.frames.map(({ type }) => type);
  }
}
