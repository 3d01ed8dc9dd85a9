import { readFileSync } from "node:fs";
import { Agent as HttpAgent, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Readable } from "node:stream";
import { inspect } from "node:util";
import Docker from "dockerode";
import { EngineError, refusal } from "./engine-error.js";
import type { EngineHost, TlsFiles } from "./engine-host.js";
import { SshAgent } from "./ssh-agent.js";

/** Longest time for an answer to begin, where the request says nothing else, ms. */
const ANSWER_TIMEOUT_MS = 60_000;
/** Every status is an answer here; what it means is decided below. */
const ANY_STATUS: Readonly<Record<number, true>> = Object.fromEntries(
  Array.from({ length: 500 }, (_, index) => [100 + index, true]),
);

const CLOSED = new TypeError("its connection was closed meanwhile");

export interface EngineRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Without the version: `/containers/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** Bytes to send instead of a body; destroyed when the request is over, however it ends. */
  readonly upload?: Readable | Buffer;
  /** `X-Registry-Auth`, as base64 already. */
  readonly registryAuth?: string;
  readonly signal?: AbortSignal | undefined;
  /** Until the answer begins, ms; 0 for ever. Default 60,000. */
  readonly answerTimeoutMs?: number;
}

/**
 * HTTP to one engine. The only user of dockerode, of which it takes the transport: its own ways of reading an answer lose an early
 * end, guess at JSON and may never settle, so that every answer is taken as a stream and read here.
 */
export class EngineClient {
  readonly host: EngineHost;
  readonly #docker: Docker;
  readonly #agent: HttpAgent;
  readonly #closed = new AbortController();
  #isOutdated = false;

  constructor(host: EngineHost) {
    this.host = host;
    this.#agent = shownBriefly(agentFor(host));
    this.#docker = new Docker(dockerOptions(host, this.#agent));
  }

  /** From now on requests name this version: `1.41`. */
  useVersion(version: string): void {
    // Its types leave out what its own constructor sets.
    (this.#docker.modem as unknown as { version: string }).version = `v${version}`;
  }

  /** Whether the engine no longer speaks the version in use: it was replaced by another while it was used. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  /** The answer's body as JSON, whole. */
  async json<Answer>(request: EngineRequest): Promise<Answer> {
    const text = (await this.bytes(request)).toString("utf8");
    try {
      return JSON.parse(text) as Answer;
    } catch (cause) {
      throw brokenStream(nameOf(request), "is not JSON", cause);
    }
  }

  async bytes(request: EngineRequest): Promise<Buffer> {
    try {
      return await readAll(await this.#send(request), request);
    } catch (error) {
      // A kept connection may have been closed by an engine that was started again meanwhile.
      if (request.method !== "GET" || !isReset(error) || request.signal?.aborted === true) throw error;
      return await readAll(await this.#send(request), request);
    }
  }

  /** For what answers with nothing of interest. */
  async done(request: EngineRequest): Promise<void> {
    await readAll(await this.#send(request), request);
  }

  /** The answer as it comes; an early end is an error of the stream. */
  stream(request: EngineRequest): Promise<IncomingMessage> {
    return this.#send(request);
  }

  /** Ends what is still being asked. */
  close(): void {
    this.#closed.abort();
    this.#agent.destroy();
  }

  async #send(request: EngineRequest): Promise<IncomingMessage> {
    const { signal, answerTimeoutMs = ANSWER_TIMEOUT_MS } = request;
    signal?.throwIfAborted();
    const timeout = new AbortController();
    const timer =
      answerTimeoutMs === 0 ? undefined : setTimeout(() => timeout.abort(), answerTimeoutMs).unref();
    const closed = this.#closed.signal;
    const abort = AbortSignal.any([timeout.signal, closed, ...(signal === undefined ? [] : [signal])]);
    try {
      const answer = await this.#dial(request, abort);
      const { statusCode = 0 } = answer;
      if (statusCode < 400) return answer;
      // Also where there is none: an answer that nobody reads keeps its connection.
      const text = (await readAll(answer, request)).toString("utf8");
      const refused = refusal(nameOf(request), statusCode, messageOf(text) || `HTTP ${statusCode}`);
      this.#isOutdated ||= refused.code === "ENGINE_UNSUPPORTED";
      throw refused;
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.signal.aborted) {
        throw new EngineError({
          code: "ENGINE_STALLED",
          message: `the engine did not answer ${nameOf(request)} within ${answerTimeoutMs} ms`,
          hint: "look whether the engine is overloaded or paused",
          facts: { request: nameOf(request), timeoutMs: answerTimeoutMs },
        });
      }
      throw EngineError.isInstance(error) ? error : unreachable(this.host, closed.aborted ? CLOSED : error);
    } finally {
      clearTimeout(timer);
    }
  }

  #dial(request: EngineRequest, abortSignal: AbortSignal): Promise<IncomingMessage> {
    const { method, path, query = {}, body = {}, upload, registryAuth } = request;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // The transport leaves it as it is when the engine takes no more, with its files open.
    const release = (): void => {
      if (upload instanceof Readable) upload.destroy();
    };
    this.#docker.modem.dial(
      {
        method,
        path: `${path}?`,
        options: { _query: query, _body: body },
        file: upload,
        ...(registryAuth === undefined ? {} : { authconfig: { base64: registryAuth } }),
        abortSignal,
        isStream: true,
        statusCodes: ANY_STATUS,
      },
      (error: unknown, answer: unknown) => {
        if (error === null || error === undefined) {
          resolve((answer as IncomingMessage).once("close", release));
        } else {
          release();
          reject(error);
        }
      },
    );
    return promise;
  }
}

/** The bytes of an answer as they come. @throws EngineError `ENGINE_BROKEN_STREAM` when it ends early */
export async function* chunksOf(
  answer: IncomingMessage,
  { request, signal }: { readonly request: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer) yield chunk as Buffer;
  } catch (cause) {
    signal?.throwIfAborted();
    throw brokenStream(request, "ended early", cause);
  }
}

/** What is wrong with an answer whose beginning was right. */
export function brokenStream(request: string, what: string, cause?: unknown): EngineError {
  return new EngineError({
    code: "ENGINE_BROKEN_STREAM",
    message: `the engine's answer to ${request} ${what}`,
    facts: { request },
    cause,
  });
}

function describeHost(host: EngineHost): string {
  if (host.kind === "socket") return host.path.startsWith("/") ? `unix://${host.path}` : host.path;
  if (host.kind === "ssh")
    return `ssh://${host.destination}${host.port === undefined ? "" : `:${host.port}`}${host.socket ?? ""}`;
  const name = host.hostname.includes(":") ? `[${host.hostname}]` : host.hostname;
  return `tcp://${name}:${host.port}`;
}

function unreachable(host: EngineHost, cause: unknown): EngineError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const isForbidden = code === "EACCES" || code === "EPERM";
  const at = describeHost(host);
  return new EngineError({
    code: isForbidden ? "ENGINE_PERMISSION_DENIED" : "ENGINE_UNREACHABLE",
    message: `the engine at ${at} cannot be asked: ${message}`,
    hint: isForbidden
      ? "join the group that owns the socket (usually `docker`) and log in again, or use a rootless engine"
      : "start the engine, or name another",
    facts: { host: at },
    cause,
  });
}

async function readAll(answer: IncomingMessage, request: EngineRequest): Promise<Buffer> {
  const parts: Buffer[] = [];
  const { signal } = request;
  for await (const part of chunksOf(answer, { request: nameOf(request), signal })) parts.push(part);
  return Buffer.concat(parts);
}

/**
 * dockerode's transport formats the options of each request for a log that nobody reads, to any depth, and so every connection the agent keeps. That took ten
 * times what all the rest does.
 */
function shownBriefly(agent: HttpAgent): HttpAgent {
  return Object.defineProperty(agent, inspect.custom, { value: () => agent.constructor.name });
}

function isReset(error: unknown): boolean {
  const cause = EngineError.isInstance(error)
    ? (error.cause as NodeJS.ErrnoException | undefined)
    : undefined;
  return cause?.code === "ECONNRESET" || cause?.code === "EPIPE";
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? message.trim() : text.trim();
  } catch {
    // Something between here and the engine may answer in plain text.
    return text.trim().slice(0, 500);
  }
}

function nameOf({ method, path }: EngineRequest): string {
  return `${method} ${path}`;
}

function agentFor(host: EngineHost): HttpAgent {
  if (host.kind === "ssh") return new SshAgent(host);
  if (host.kind === "tcp" && host.tls !== undefined)
    return new HttpsAgent({ keepAlive: true, ...pemOf(host.tls) });
  return new HttpAgent({ keepAlive: true });
}

/** All of them, so that none is taken from the environment. */
function dockerOptions(host: EngineHost, agent: HttpAgent): Docker.DockerOptions {
  const common = { agent, timeout: 0, pathPrefix: "/", headers: {} };
  if (host.kind === "socket") return { ...common, socketPath: host.path, host: undefined, protocol: "http" };
  if (host.kind === "ssh") return { ...common, host: "engine", port: 80, protocol: "http" };
  const { hostname, port, tls } = host;
  const bracketed = hostname.includes(":") ? `[${hostname}]` : hostname;
  if (tls === undefined) return { ...common, host: bracketed, port, protocol: "http" };
  return { ...common, host: bracketed, port, protocol: "https", ...pemOf(tls) };
}

function pemOf({ ca, certificate, key, verify }: TlsFiles): {
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized: boolean;
} {
  return {
    ...(ca === undefined ? {} : { ca: readFileSync(ca, "utf8") }),
    ...(certificate === undefined ? {} : { cert: readFileSync(certificate, "utf8") }),
    ...(key === undefined ? {} : { key: readFileSync(key, "utf8") }),
    rejectUnauthorized: verify,
  };
}
