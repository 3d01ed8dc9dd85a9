import type { EdgeFault, EdgeLimits } from "./http-edge.js";

/**
 * Reads one header after another into a string, and gives the last one again where the bytes are the same: callers on one connection repeat
 * themselves, and comparing is cheaper than a new string.
 */
class RepeatedText {
  #bytes: Buffer = Buffer.alloc(0);
  #text = "";

  read(chunk: Buffer, from: number, to: number): string {
    const bytes = this.#bytes;
    let same = to - from === bytes.length;
    for (let at = from; same && at < to; at += 1) same = chunk[at] === bytes[at - from];
    if (!same) {
      this.#bytes = Buffer.from(chunk.subarray(from, to));
      this.#text = chunk.toString("latin1", from, to);
    }
    return this.#text;
  }
}

/** The headers an edge looks at, by their names in lower case. */
const NAMES = [
  "host",
  "content-type",
  "content-encoding",
  "origin",
  "x-request-id",
  "traceparent",
  "content-length",
  "transfer-encoding",
  "expect",
] as const;

type HeaderName = (typeof NAMES)[number];

const BY_LENGTH: readonly (readonly { name: HeaderName; bytes: Buffer }[])[] = Array.from(
  { length: 18 },
  (_, length) =>
    NAMES.filter((name) => name.length === length).map((name) => ({ name, bytes: Buffer.from(name) })),
);
const LONGEST_NAME = BY_LENGTH.length - 1;

/**
 * The head of one request, gathered from pieces that may end anywhere. Only what is in {@link NAMES} becomes a string; the rest is counted.
 */
export class RequestHead {
  readonly #limits: EdgeLimits;
  readonly #name = Buffer.alloc(LONGEST_NAME);
  readonly #lastTarget = new RepeatedText();
  readonly #lastHost = new RepeatedText();
  readonly #lastType = new RepeatedText();
  #nameLength = 0;
  #inValue = false;
  #field: HeaderName | undefined;
  #fields = 0;
  #bytes = 0;
  #hosts = 0;

  target = "";
  host: string | undefined;
  contentType: string | undefined;
  contentEncoding: string | undefined;
  origin: string | undefined;
  requestId: string | undefined;
  traceparent: string | undefined;
  expect: string | undefined;
  #contentLength: string | undefined;
  #transferEncoding: string | undefined;

  constructor(limits: EdgeLimits) {
    this.#limits = limits;
  }

  reset(): void {
    this.#nameLength = 0;
    this.#inValue = false;
    this.#field = undefined;
    this.#fields = 0;
    this.#bytes = 0;
    this.#hosts = 0;
    this.target = "";
    this.host = undefined;
    this.contentType = undefined;
    this.contentEncoding = undefined;
    this.origin = undefined;
    this.requestId = undefined;
    this.traceparent = undefined;
    this.expect = undefined;
    this.#contentLength = undefined;
    this.#transferEncoding = undefined;
  }

  addTarget(chunk: Buffer, from: number, to: number): EdgeFault | undefined {
    if (this.target.length + to - from > this.#limits.maxTargetBytes) return "target_too_long";
    if (this.target === "") this.target = this.#lastTarget.read(chunk, from, to);
    else this.target += chunk.toString("latin1", from, to);
    return undefined;
  }

  addName(chunk: Buffer, from: number, to: number): EdgeFault | undefined {
    if (this.#inValue || this.#fields === 0) {
      this.#inValue = false;
      this.#nameLength = 0;
      this.#fields += 1;
      if (this.#fields > this.#limits.maxHeaderFields) return "too_many_headers";
    }
    for (let at = from; at < to && this.#nameLength + at - from < LONGEST_NAME; at += 1) {
      const byte = chunk[at] as number;
      this.#name[this.#nameLength + at - from] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    }
    this.#nameLength += to - from;
    return this.#count(to - from);
  }

  addValue(chunk: Buffer, from: number, to: number): EdgeFault | undefined {
    const continued = this.#inValue;
    if (!continued) {
      this.#inValue = true;
      this.#field = this.#known();
      if (this.#field === "host") this.#hosts += 1;
    }
    if (this.#field !== undefined)
      this.#add(this.#field, this.#text(this.#field, chunk, from, to), continued);
    return this.#count(to - from);
  }

  /** Of the body, where the head tells it. */
  get contentLength(): number | undefined {
    return this.#contentLength === undefined ? undefined : Number(this.#contentLength);
  }

  #count(bytes: number): EdgeFault | undefined {
    this.#bytes += bytes;
    return this.#bytes > this.#limits.maxHeaderBytes ? "headers_too_large" : undefined;
  }

  #known(): HeaderName | undefined {
    for (const { name, bytes } of BY_LENGTH[this.#nameLength] ?? []) {
      let at = 0;
      while (at < bytes.length && this.#name[at] === bytes[at]) at += 1;
      if (at === bytes.length) return name;
    }
    return undefined;
  }

  #text(name: HeaderName, chunk: Buffer, from: number, to: number): string {
    if (name === "host") return this.#lastHost.read(chunk, from, to);
    if (name === "content-type") return this.#lastType.read(chunk, from, to);
    return chunk.toString("latin1", from, to);
  }

  /** A header given twice is joined by a comma, as HTTP has it; a value cut in two is put together. */
  #add(name: HeaderName, piece: string, continued: boolean): void {
    const join = (before: string | undefined): string =>
      before === undefined ? piece : continued ? before + piece : `${before},${piece}`;
    switch (name) {
      case "host":
        this.host = join(this.host);
        break;
      case "content-type":
        this.contentType = join(this.contentType);
        break;
      case "content-encoding":
        this.contentEncoding = join(this.contentEncoding);
        break;
      case "origin":
        this.origin = join(this.origin);
        break;
      case "x-request-id":
        this.requestId = join(this.requestId);
        break;
      case "traceparent":
        this.traceparent = join(this.traceparent);
        break;
      case "content-length":
        this.#contentLength = join(this.#contentLength);
        break;
      case "transfer-encoding":
        this.#transferEncoding = join(this.#transferEncoding);
        break;
      case "expect":
        this.expect = join(this.expect);
        break;
    }
  }

  /** What is wrong with the head as a whole, where the grammar alone has no objection. */
  fault(httpMajor: number, httpMinor: number): EdgeFault | undefined {
    return headFault({
      httpMajor,
      httpMinor,
      hosts: this.#hosts,
      contentLength: this.#contentLength,
      transferEncoding: this.#transferEncoding,
      expect: this.expect,
      maxBodyBytes: this.#limits.maxBodyBytes,
    });
  }
}

/** What every edge holds a request's head against. */
export function headFault(head: {
  httpMajor: number;
  httpMinor: number;
  hosts: number;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  expect: string | undefined;
  maxBodyBytes: number;
}): EdgeFault | undefined {
  if (head.httpMajor !== 1) return "http_version";
  if (head.hosts > 1 || (head.hosts === 0 && head.httpMinor > 0)) return "host";
  if (head.transferEncoding !== undefined && head.transferEncoding.trim().toLowerCase() !== "chunked") {
    return "transfer_encoding";
  }
  if (head.expect !== undefined && head.expect.toLowerCase() !== "100-continue") return "expectation";
  if (head.contentLength !== undefined && Number(head.contentLength) > head.maxBodyBytes)
    return "body_too_large";
  return undefined;
}
