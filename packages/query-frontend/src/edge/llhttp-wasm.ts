/// <reference path="./llhttp-module.d.ts" />
import wasmBytes from "undici/lib/llhttp/llhttp_simd-wasm.js";

/** What a parser tells while it reads a chunk. `from` and `to` are places in that chunk; an answer other than 0 stops the parser. */
export interface LlhttpEvents {
  onMessageBegin(): number;
  onUrl(chunk: Buffer, from: number, to: number): number;
  onHeaderField(chunk: Buffer, from: number, to: number): number;
  onHeaderValue(chunk: Buffer, from: number, to: number): number;
  onHeadersComplete(upgrade: boolean, keepAlive: boolean): number;
  onBody(chunk: Buffer, from: number, to: number): number;
  onMessageComplete(): number;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, at: number, length: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_resume(parser: number): void;
  llhttp_get_method(parser: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
  malloc(bytes: number): number;
}

export const LLHTTP_OK = 0;
/** A callback's answer to stop after this message, and the result of `execute` then. */
export const LLHTTP_PAUSED = 21;
/** What follows is another protocol's. */
export const LLHTTP_PAUSED_UPGRADE = 22;
/** A callback's answer to give up. */
export const LLHTTP_STOP = -1;

const TYPE_REQUEST = 1;
/** Most bytes copied in at once: what a socket reads at most. */
const WINDOW = 64 * 1024;
const METHODS = ["DELETE", "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "TRACE"] as const;
const PATCH = 28;

/**
 * Node's own HTTP grammar (llhttp) as WebAssembly: the strictness of `node:http` without the objects that make it expensive.
 * One instance reads for all connections of an edge, one after the other, so its callbacks must not call `execute`.
 */
export class Llhttp {
  readonly #exports: Exports;
  readonly #window: number;
  #memory: Uint8Array;
  #events: LlhttpEvents | undefined;
  #chunk: Buffer = Buffer.alloc(0);
  /** Added to an address, gives the place in the chunk. */
  #shift = 0;

  /** How many bytes of its chunk the last `execute` took. */
  taken = 0;

  constructor() {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(wasmBytes), {
      env: {
        wasm_on_message_begin: () => this.#current().onMessageBegin(),
        wasm_on_url: (_parser, at, length) =>
          this.#current().onUrl(this.#chunk, at + this.#shift, at + this.#shift + length),
        wasm_on_status: () => LLHTTP_OK,
        wasm_on_header_field: (_parser, at, length) =>
          this.#current().onHeaderField(this.#chunk, at + this.#shift, at + this.#shift + length),
        wasm_on_header_value: (_parser, at, length) =>
          this.#current().onHeaderValue(this.#chunk, at + this.#shift, at + this.#shift + length),
        wasm_on_headers_complete: (_parser, _status, upgrade, keepAlive) =>
          this.#current().onHeadersComplete(upgrade === 1, keepAlive === 1),
        wasm_on_body: (_parser, at, length) =>
          this.#current().onBody(this.#chunk, at + this.#shift, at + this.#shift + length),
        wasm_on_message_complete: () => this.#current().onMessageComplete(),
      },
    });
    this.#exports = instance.exports as unknown as Exports;
    this.#window = this.#exports.malloc(WINDOW);
    this.#memory = new Uint8Array(this.#exports.memory.buffer);
  }

  #current(): LlhttpEvents {
    return this.#events as LlhttpEvents;
  }

  /** @returns a parser's handle */
  allocate(): number {
    return this.#exports.llhttp_alloc(TYPE_REQUEST);
  }

  free(parser: number): void {
    this.#exports.llhttp_free(parser);
  }

  /** Reads `chunk` on from `start`. @returns 0, or llhttp's error number; {@link taken} says how far it came */
  execute(parser: number, events: LlhttpEvents, chunk: Buffer, start: number): number {
    if (this.#memory.byteLength === 0) this.#memory = new Uint8Array(this.#exports.memory.buffer);
    this.#events = events;
    this.#chunk = chunk;
    for (let from = start; from < chunk.length; from += WINDOW) {
      const to = Math.min(from + WINDOW, chunk.length);
      this.#shift = from - this.#window;
      this.#memory.set(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to), this.#window);
      const errno = this.#exports.llhttp_execute(parser, this.#window, to - from);
      if (errno !== LLHTTP_OK) {
        this.taken = this.#exports.llhttp_get_error_pos(parser) + this.#shift - start;
        return errno;
      }
    }
    this.taken = chunk.length - start;
    return LLHTTP_OK;
  }

  resume(parser: number): void {
    this.#exports.llhttp_resume(parser);
  }

  method(parser: number): string {
    const method = this.#exports.llhttp_get_method(parser);
    return METHODS[method] ?? (method === PATCH ? "PATCH" : "OTHER");
  }

  httpMajor(parser: number): number {
    return this.#exports.llhttp_get_http_major(parser);
  }

  httpMinor(parser: number): number {
    return this.#exports.llhttp_get_http_minor(parser);
  }
}
