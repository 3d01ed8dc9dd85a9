import { timingSafeEqual } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { SupervisorMethod, SupervisorReply, SupervisorRequest } from "../protocol.js";
import { toWireError } from "../wire-error.js";

/** A request holds one spec; its secrets are most of it. */
const LONGEST_REQUEST_BYTES = 64 * 1024 * 1024;

export interface Call {
  readonly method: SupervisorMethod;
  readonly params: unknown;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
  /** Sends an item before the reply. */
  readonly item: () => void;
}

export interface CallServerOptions {
  readonly token: string;
  readonly handle: (call: Call) => Promise<unknown>;
  /** Asked after each call: whether the supervisor is to end itself. Nothing is accepted once it said so. */
  readonly isOver: () => boolean;
  /** Called once, when it is over, before the last reply is sent: removes what the supervisor leaves no trace of. */
  readonly onOver: () => void;
  /** Called once the last reply is on its way. */
  readonly end: () => void;
}

/** Serves the calls of {@link SupervisorRequest}s, one per connection. */
export class CallServer {
  readonly server: Server;
  readonly #options: CallServerOptions;
  #active = 0;
  #isOver = false;

  constructor(options: CallServerOptions) {
    this.#options = options;
    this.server = createServer((socket) => this.#serve(socket));
  }

  #serve(socket: Socket): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // A caller that goes away in the middle is told by `close`; there is nobody to tell of its error.
    socket.on("error", () => undefined);
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (chunk.includes(0x0a)) {
        socket.off("data", onData);
        void this.#answer(socket, Buffer.concat(chunks));
      } else if (bytes > LONGEST_REQUEST_BYTES) {
        socket.destroy();
      }
    };
    socket.on("data", onData);
  }

  async #answer(socket: Socket, line: Buffer): Promise<void> {
    const request = parseRequest(line);
    // Connected before it was over, and heard only now: to be asked of the next supervisor.
    if (this.#isOver || request === undefined || !isSame(request.token, this.#options.token)) {
      socket.destroy();
      return;
    }
    const gone = new AbortController();
    socket.once("close", () => gone.abort());
    // An ended stream is a caller that has gone; reading on is what notices.
    socket.on("end", () => gone.abort());
    socket.resume();
    // Who only listens keeps nothing alive.
    const counts = request.method !== "changes";
    if (counts) this.#active += 1;
    const reply = await this.#handle(request, socket, gone.signal);
    if (counts) this.#active -= 1;
    this.#finish(socket, reply);
  }

  async #handle(request: SupervisorRequest, socket: Socket, signal: AbortSignal): Promise<SupervisorReply> {
    const { method, params } = request;
    const item = (): void => {
      // One that is still on its way will be read after this change, too: a caller that does not read piles up nothing.
      if (socket.writableLength === 0) socket.write(encode({ item: null }));
    };
    try {
      return { result: (await this.#options.handle({ method, params, signal, item })) ?? null };
    } catch (error) {
      return { error: toWireError(error) };
    }
  }

  #finish(socket: Socket, reply: SupervisorReply): void {
    if (this.#active > 0 || !this.#options.isOver()) {
      socket.end(encode(reply));
      return;
    }
    this.#isOver = true;
    this.server.close();
    this.#options.onOver();
    socket.write(encode("result" in reply ? { ...reply, ending: true } : reply), () => this.#options.end());
    if (socket.destroyed) this.#options.end();
  }
}

function encode(reply: SupervisorReply): string {
  return `${JSON.stringify(reply)}\n`;
}

function parseRequest(line: Buffer): SupervisorRequest | undefined {
  try {
    const request: unknown = JSON.parse(line.toString("utf8"));
    const { token, method, params } = request as Partial<SupervisorRequest>;
    return typeof token === "string" &&
      typeof method === "string" &&
      typeof params === "object" &&
      params !== null
      ? (request as SupervisorRequest)
      : undefined;
  } catch {
    // Not a request: the connection is closed without an answer, as for a wrong token.
    return undefined;
  }
}

function isSame(given: string, token: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b);
}
