import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Address, TimeoutError } from "@clipper-serving/spec";

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A client that sends bytes as they are, and reads answers one by one. */
export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    socket.on("close", () => {
      this.closed = true;
      this.#wake?.();
    });
    // A reset is a close like any other to these tests.
    socket.on("error", () => undefined);
  }

  static async to(address: Address): Promise<RawClient> {
    const socket = address.kind === "unix" ? connect(address.path) : connect(address.port, address.host);
    await once(socket, "connect");
    return new RawClient(socket);
  }

  send(bytes: string | Uint8Array): void {
    if (typeof bytes === "string") this.socket.write(bytes, "latin1");
    else this.socket.write(bytes);
  }

  /** @returns the next answer, or undefined when the connection closed first */
  async answer(timeoutMs = 5_000): Promise<RawAnswer | undefined> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = this.#take();
      if (found !== undefined || this.closed) return found;
      await this.#more(deadline, timeoutMs, "an answer");
    }
  }

  /** Resolves when the other side has closed. */
  async close(timeoutMs = 5_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.closed) await this.#more(deadline, timeoutMs, "a close");
  }

  get unread(): string {
    return this.#received.toString("latin1");
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #more(deadline: number, timeoutMs: number, what: string): Promise<void> {
    const left = deadline - performance.now();
    if (left <= 0) throw new TimeoutError({ what, timeoutMs });
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, left);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  #take(): RawAnswer | undefined {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const [statusLine = "", ...lines] = this.#received.subarray(0, end).toString("latin1").split("\r\n");
    const status = Number(statusLine.split(" ")[1]);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const length = status === 100 ? 0 : Number(headers["content-length"] ?? 0);
    if (this.#received.length < end + 4 + length) return undefined;
    const body = this.#received.subarray(end + 4, end + 4 + length).toString("utf8");
    this.#received = this.#received.subarray(end + 4 + length);
    return { status, headers, body };
  }
}
