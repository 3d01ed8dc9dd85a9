import type { Socket } from "node:net";
import { CallerSignal } from "./caller-signal.js";
import type { EdgeFault, EdgeHandler, EdgeLimits, EdgeRequest, EdgeResponse } from "./http-edge.js";
import {
  LLHTTP_OK,
  LLHTTP_PAUSED,
  LLHTTP_PAUSED_UPGRADE,
  LLHTTP_STOP,
  type Llhttp,
  type LlhttpEvents,
} from "./llhttp-wasm.js";
import { RequestHead } from "./request-head.js";
import { responseText } from "./response-text.js";

/** Requests of one connection that may wait for their answers before it is read on. */
const MAX_PIPELINED = 128;
/** Unsent bytes of answers above which a connection is not read on. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** How long what still comes in after a last answer is thrown away, so that the caller gets to read that answer. */
const LINGER_MS = 1_000;
/** Bytes around one plain chunk. */
const MAX_CHUNK_OVERHEAD = 16;
const NO_BYTES = Buffer.alloc(0);

/** What the connections of an edge have in common. */
export interface EdgeShared {
  readonly llhttp: Llhttp;
  readonly limits: EdgeLimits;
  readonly handler: EdgeHandler;
  readonly refuse: (fault: EdgeFault) => EdgeResponse;
  /** Counts up every `checkEveryMs`: all the precision that timeouts need. */
  tick: number;
  draining: boolean;
  onClose(connection: LlhttpConnection): void;
}

/** `idle`: between requests · `done`: the last answer is written, and nothing more is read. */
type Phase = "fresh" | "idle" | "headers" | "body" | "done";

/** One connection: what is being read, and which requests wait for their answers. */
export class LlhttpConnection implements LlhttpEvents {
  readonly #socket: Socket;
  readonly #shared: EdgeShared;
  readonly #parser: number;
  readonly #head: RequestHead;
  #phase: Phase = "fresh";
  #phaseTick: number;
  #requestTick = 0;
  readonly #signal = new CallerSignal();
  #gone = false;
  /** Requests not yet answered, or answered before an earlier one was. Those from `#undispatched` on were not handed over yet. */
  readonly #waiting: LlhttpRequest[] = [];
  #undispatched = 0;
  #fault: EdgeFault | undefined;
  #lastRequestRead = false;
  #unread: Buffer | undefined;
  #unsentBytes = 0;
  #unsentTick = 0;

  #keepAlive = true;
  #body: Buffer = NO_BYTES;
  #bodyRest: Buffer[] | undefined;
  #bodyBytes = 0;
  #bodyPieces = 0;
  /** Since the request began, in reads that it did not end in. */
  #bytesRead = 0;

  constructor(socket: Socket, shared: EdgeShared) {
    this.#socket = socket;
    this.#shared = shared;
    this.#phaseTick = shared.tick;
    this.#head = new RequestHead(shared.limits);
    this.#parser = shared.llhttp.allocate();
    socket.on("end", () => this.#leave());
    // The close that follows says all there is to say: a caller's broken connection is nobody's error.
    socket.on("error", () => this.#leave());
    socket.on("drain", () => this.#readOn());
    socket.on("close", () => {
      this.#leave();
      shared.llhttp.free(this.#parser);
      shared.onClose(this);
    });
  }

  get signal(): AbortSignal {
    return this.#signal.asAbortSignal();
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && (this.#phase === "idle" || this.#phase === "fresh");
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Looks at the timeouts. Called once per tick. */
  check(): void {
    const { tick, limits } = this.#shared;
    const unsent = this.#socket.writableLength;
    if (unsent === 0 || unsent !== this.#unsentBytes) {
      this.#unsentBytes = unsent;
      this.#unsentTick = tick;
    } else if (this.#over(this.#unsentTick, limits.writeTimeoutMs)) {
      this.#socket.destroy();
    }
    switch (this.#phase) {
      case "idle":
        if (this.#waiting.length > 0) this.#phaseTick = tick;
        else if (this.#over(this.#phaseTick, limits.keepAliveTimeoutMs)) this.#end(undefined);
        break;
      case "fresh":
        if (this.#over(this.#phaseTick, limits.headersTimeoutMs)) this.#fail("too_slow");
        break;
      case "headers":
        if (this.#over(this.#requestTick, limits.headersTimeoutMs)) this.#fail("too_slow");
        break;
      case "body":
        if (this.#unread !== undefined) this.#requestTick = tick;
        else if (this.#over(this.#requestTick, limits.requestTimeoutMs)) this.#fail("too_slow");
        break;
      case "done":
        if (this.#over(this.#phaseTick, LINGER_MS) && unsent === 0) this.#socket.destroy();
        break;
    }
  }

  #over(sinceTick: number, limitMs: number): boolean {
    return (this.#shared.tick - sinceTick) * this.#shared.limits.checkEveryMs > limitMs;
  }

  /** @param chunk overwritten by the next read */
  read(chunk: Buffer): void {
    this.#read(chunk, 0);
  }

  #read(chunk: Buffer, from: number): void {
    if (this.#lastRequestRead || this.#phase === "done" || this.#gone) return;
    const { llhttp } = this.#shared;
    const errno = llhttp.execute(this.#parser, this, chunk, from);
    const { taken } = llhttp;
    if (errno === LLHTTP_PAUSED && !this.#lastRequestRead) {
      llhttp.resume(this.#parser);
      this.#unread = Buffer.from(chunk.subarray(from + taken));
    } else if (errno === LLHTTP_PAUSED_UPGRADE || this.#lastRequestRead) {
      this.#lastRequestRead = true;
    } else if (errno !== LLHTTP_OK) {
      this.#fault ??= "malformed";
    }
    if (this.#phase === "body" && errno === LLHTTP_OK) this.#checkOverhead(taken);
    this.#dispatch();
    if (this.#fault !== undefined) this.#fail(this.#fault);
    else if (this.#unread !== undefined || this.#socket.writableLength > MAX_UNSENT_BYTES)
      this.#socket.pause();
  }

  /** Of the bytes that are neither head nor body, chunk extensions and trailers, nobody needs many. */
  #checkOverhead(taken: number): void {
    const { maxHeaderBytes, maxTargetBytes } = this.#shared.limits;
    this.#bytesRead += taken;
    const allowed = 2 * maxHeaderBytes + maxTargetBytes + MAX_CHUNK_OVERHEAD * this.#bodyPieces;
    if (this.#bytesRead - this.#bodyBytes > allowed) this.#fault = "body_too_large";
  }

  #dispatch(): void {
    while (this.#undispatched < this.#waiting.length) {
      const request = this.#waiting[this.#undispatched] as LlhttpRequest;
      this.#undispatched += 1;
      this.#shared.handler(request);
    }
  }

  #readOn(): void {
    if (this.#gone || !this.#socket.isPaused()) return;
    if (this.#waiting.length >= MAX_PIPELINED || this.#socket.writableLength > MAX_UNSENT_BYTES) return;
    const unread = this.#unread;
    this.#unread = undefined;
    this.#socket.resume();
    if (unread !== undefined) this.#read(unread, 0);
  }

  /** The caller has gone: nobody waits for what is under way. */
  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#signal.abort();
  }

  // What the parser tells.

  onMessageBegin(): number {
    this.#head.reset();
    this.#phase = "headers";
    this.#requestTick = this.#shared.tick;
    this.#body = NO_BYTES;
    this.#bodyRest = undefined;
    this.#bodyBytes = 0;
    this.#bodyPieces = 0;
    this.#bytesRead = 0;
    return LLHTTP_OK;
  }

  onUrl(chunk: Buffer, from: number, to: number): number {
    return this.#checked(this.#head.addTarget(chunk, from, to));
  }

  onHeaderField(chunk: Buffer, from: number, to: number): number {
    return this.#checked(this.#head.addName(chunk, from, to));
  }

  onHeaderValue(chunk: Buffer, from: number, to: number): number {
    return this.#checked(this.#head.addValue(chunk, from, to));
  }

  onHeadersComplete(upgrade: boolean, keepAlive: boolean): number {
    const { llhttp } = this.#shared;
    const fault = this.#head.fault(llhttp.httpMajor(this.#parser), llhttp.httpMinor(this.#parser));
    if (fault !== undefined) return this.#checked(fault);
    this.#phase = "body";
    this.#keepAlive = keepAlive && !upgrade;
    if (this.#head.expect !== undefined && this.#waiting.length === 0) {
      this.#socket.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
    }
    return LLHTTP_OK;
  }

  onBody(chunk: Buffer, from: number, to: number): number {
    const { maxBodyBytes, maxChunks } = this.#shared.limits;
    this.#bodyBytes += to - from;
    if (this.#bodyBytes > maxBodyBytes) return this.#checked("body_too_large");
    this.#bodyPieces += 1;
    if (this.#bodyPieces > maxChunks) return this.#checked("too_many_chunks");
    // The whole of a body needs no copy: it is handed over before the next read.
    const isWhole = to - from === this.#head.contentLength;
    const piece = isWhole ? chunk.subarray(from, to) : Buffer.from(chunk.subarray(from, to));
    if (this.#bodyPieces === 1) this.#body = piece;
    else if (this.#bodyRest === undefined) this.#bodyRest = [this.#body, piece];
    else this.#bodyRest.push(piece);
    return LLHTTP_OK;
  }

  onMessageComplete(): number {
    const body = this.#bodyRest === undefined ? this.#body : Buffer.concat(this.#bodyRest, this.#bodyBytes);
    this.#waiting.push(
      new LlhttpRequest(this, this.#shared.llhttp.method(this.#parser), this.#head, body, this.#keepAlive),
    );
    this.#phase = "idle";
    this.#phaseTick = this.#shared.tick;
    if (!this.#keepAlive) {
      this.#lastRequestRead = true;
      return LLHTTP_PAUSED;
    }
    return this.#waiting.length >= MAX_PIPELINED ? LLHTTP_PAUSED : LLHTTP_OK;
  }

  #checked(fault: EdgeFault | undefined): number {
    if (fault === undefined) return LLHTTP_OK;
    this.#fault = fault;
    return LLHTTP_STOP;
  }

  // Answers.

  /** Writes what is next in order. */
  answered(request: LlhttpRequest): boolean {
    if (this.#gone || this.#phase === "done") return false;
    const waiting = this.#waiting;
    if (waiting[0] !== request) return true;
    while (waiting.length > 0) {
      const { response, keepAlive, method } = waiting[0] as LlhttpRequest;
      if (response === undefined) break;
      // Mostly there is one, and taking the first of an array means to move the others.
      if (waiting.length === 1) waiting.pop();
      else waiting.shift();
      this.#undispatched -= 1;
      const close = !keepAlive || (this.#shared.draining && waiting.length === 0);
      const { text, encoding } = responseText(response, close, method !== "HEAD");
      if (close) {
        this.#end({ text, encoding });
        return true;
      }
      this.#socket.write(text, encoding);
    }
    this.#phaseTick = this.#shared.tick;
    if (this.#fault !== undefined) this.#fail(this.#fault);
    else if (this.#unread !== undefined) this.#readOn();
    return true;
  }

  /** Refuses what is being read, once everything before it was answered. */
  #fail(fault: EdgeFault): void {
    this.#fault = fault;
    if (this.#waiting.length > 0 || this.#phase === "done") return;
    this.#end(responseText(this.#shared.refuse(fault), true));
  }

  #end(last: { text: string; encoding: BufferEncoding } | undefined): void {
    this.#phase = "done";
    this.#phaseTick = this.#shared.tick;
    this.#unread = undefined;
    this.#waiting.length = 0;
    this.#undispatched = 0;
    if (last === undefined) this.#socket.end();
    else this.#socket.end(last.text, last.encoding);
    this.#socket.resume();
  }
}

class LlhttpRequest implements EdgeRequest {
  readonly #connection: LlhttpConnection;
  readonly method: string;
  readonly target: string;
  readonly host: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly origin: string | undefined;
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
  readonly body: Buffer;
  readonly keepAlive: boolean;
  response: EdgeResponse | undefined;

  constructor(
    connection: LlhttpConnection,
    method: string,
    head: RequestHead,
    body: Buffer,
    keepAlive: boolean,
  ) {
    this.#connection = connection;
    this.method = method;
    this.target = head.target;
    this.host = head.host;
    this.contentType = head.contentType;
    this.contentEncoding = head.contentEncoding;
    this.origin = head.origin;
    this.requestId = head.requestId;
    this.traceparent = head.traceparent;
    this.body = body;
    this.keepAlive = keepAlive;
  }

  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  answer(response: EdgeResponse): boolean {
    this.response = response;
    return this.#connection.answered(this);
  }
}
