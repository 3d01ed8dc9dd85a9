import type { Socket } from "node:net";
import type { Clock } from "@clipper-serving/spec";
import type { BytePipe, BytePipeEvents } from "./byte-pipe.js";
import { LINGER_MICROS } from "./protocol-times.js";

/** A unix, TCP or TLS socket that is connected. */
export class SocketPipe implements BytePipe {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #events: BytePipeEvents | undefined;
  #error: Error | undefined;

  constructor({ socket, peer, clock }: { socket: Socket; peer: string; clock: Clock }) {
    this.#socket = socket;
    this.peer = peer;
    this.#clock = clock;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 5000);
    socket.on("error", (error) => {
      this.#error = error;
    });
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  listen(events: BytePipeEvents): void {
    this.#events = events;
    this.#socket.on("data", (chunk: Buffer) => this.#events?.data(chunk));
    this.#socket.on("close", () => {
      this.#events?.close(this.#error === undefined ? "the peer closed the connection" : this.#error.message);
      this.#events = undefined;
    });
  }

  write(chunks: readonly Uint8Array[]): void {
    if (chunks.length === 1) {
      this.#socket.write(chunks[0]!);
      return;
    }
    // One writev for all.
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
  }

  end(): void {
    this.#events = undefined;
    this.#socket.end();
    // Reading on until the peer has closed lets it read our last words: unread bytes would turn our FIN into a reset.
    this.#socket.resume();
    const callOff = this.#clock.after(LINGER_MICROS, () => this.#socket.destroy());
    this.#socket.once("close", callOff);
  }

  destroy(): void {
    this.#events = undefined;
    this.#socket.destroy();
  }
}
