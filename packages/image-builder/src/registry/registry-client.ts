import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type CallOptions, ClipperError } from "@clipper-serving/spec";
import { Authenticator } from "./authenticator.js";
import type { CredentialsFor } from "./credentials.js";
import { IdleTimer } from "./idle-timer.js";
import {
  answerError,
  connectionError,
  corruptError,
  expiredError,
  isWorthRepeating,
  type RegistryCall,
  stallError,
} from "./registry-errors.js";
import { placeOf } from "./registry-place.js";

export interface RegistryClientOptions {
  /** Host and port. */
  readonly registry: string;
  readonly credentials: CredentialsFor;
  readonly plainHttp: boolean;
  /** Longest time without a byte in either direction, ms. */
  readonly stallTimeoutMs: number;
  /** How often what may be repeated is tried. */
  readonly attempts: number;
  /** Before the second attempt, ms; doubles. */
  readonly retryDelayMs: number;
}

export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT";
  readonly repository: string;
  /** Below `/v2/REPOSITORY/`, or where the registry sent us. */
  readonly to: string | URL;
  readonly access: "pull" | "pull,push";
  /** For people, in errors: `push a layer`. */
  readonly doing: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent once: whoever gave it repeats the whole. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Another repository that is read. */
  readonly reads?: string;
  /** Statuses, besides 2xx, that are an answer and no failure. */
  readonly accepts?: readonly number[];
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** Where the answer came from: what a `location` is relative to. */
  readonly url: string;
}

/** Speaks with one registry by the OCI distribution API: authentication, typed errors, no endless waits. */
export class RegistryClient {
  readonly #authenticator: Authenticator;

  readonly #options: RegistryClientOptions;
  readonly #own: URL;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#own = new URL(`${options.plainHttp ? "http" : "https"}://${options.registry}/v2/`);
    this.#authenticator = new Authenticator(options);
  }

  get registry(): string {
    return this.#options.registry;
  }

  async request(request: RegistryRequest, call: CallOptions = {}): Promise<RegistryAnswer> {
    const once = () => this.#guarded(request, call, (guard) => this.#whole(request, guard));
    return request.method === "GET" || request.method === "HEAD" ? this.repeating(once, call) : once();
  }

  /** Tries again, after a pause, what failed in a way that passes. */
  async repeating<T>(work: () => Promise<T>, { signal }: CallOptions): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (attempt >= this.#options.attempts || !isWorthRepeating(error)) throw error;
        const pauseMs = this.#options.retryDelayMs * 2 ** (attempt - 1);
        // Only the signal ends a pause early, by an error of its own.
        await delay(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
        signal?.throwIfAborted();
      }
    }
  }

  /**
   * The bytes of a blob, checked against its digest when the last has come.
   * @throws ManagerError `REGISTRY_CORRUPT`; UnreachableError when it ends early
   */
  async *blob(repository: string, digest: string, call: CallOptions = {}): AsyncGenerator<Uint8Array> {
    const request: RegistryRequest = {
      method: "GET",
      repository,
      to: `blobs/${digest}`,
      access: "pull",
      doing: `give the blob ${digest}`,
    };
    using idle = new IdleTimer(this.#options.stallTimeoutMs);
    const guard: Guard = { idle, call, context: this.#context(request), source: {} };
    const { context } = guard;
    const hash = createHash("sha256");
    try {
      const response = await this.#authorized(request, guard);
      if (!response.ok) throw await answerError(context, response);
      for await (const chunk of response.body ?? []) {
        idle.progress();
        hash.update(chunk as Uint8Array);
        yield chunk as Uint8Array;
      }
    } catch (error) {
      throw this.#failure(error, guard);
    }
    const found = `sha256:${hash.digest("hex")}`;
    if (found !== digest) throw corruptError(context, { digest, found });
  }

  async #whole(request: RegistryRequest, guard: Guard): Promise<RegistryAnswer> {
    const response = await this.#authorized(request, guard);
    if (!response.ok && !request.accepts?.includes(response.status))
      throw await answerError(guard.context, response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, url: response.url };
  }

  async #guarded<T>(
    request: RegistryRequest,
    call: CallOptions,
    work: (guard: Guard) => Promise<T>,
  ): Promise<T> {
    using idle = new IdleTimer(this.#options.stallTimeoutMs);
    const guard: Guard = { idle, call, context: this.#context(request), source: {} };
    try {
      return await work(guard);
    } catch (error) {
      throw this.#failure(error, guard);
    }
  }

  async #authorized(request: RegistryRequest, guard: Guard): Promise<Response> {
    const url = this.#url(request);
    const scopes = [
      `repository:${request.repository}:${request.access}`,
      ...(request.reads === undefined ? [] : [`repository:${request.reads}:pull`]),
    ];
    // Uploads may be sent to a storage service, whose business our credentials are not.
    const isTheirs = url.origin !== this.#own.origin;
    const first = await this.#fetch(
      url,
      request,
      isTheirs ? undefined : this.#authenticator.known(scopes),
      guard,
    );
    const challenge = first.headers.get("www-authenticate");
    const isStream = request.body !== undefined && !(request.body instanceof Uint8Array);
    if (first.status !== 401 || challenge === null || isTheirs) return first;
    const answer = await this.#authenticator.answer(challenge, scopes, (to, init) =>
      this.#token(to, init, guard),
    );
    if (answer === undefined) return first;
    await first.body?.cancel();
    if (isStream) throw expiredError(guard.context);
    return this.#fetch(url, request, answer, guard);
  }

  async #token(url: URL, init: RequestInit, guard: Guard): Promise<{ token?: string } | undefined> {
    const response = await fetch(url, { ...init, signal: signalOf(guard) });
    guard.idle.progress();
    if (response.ok) return (await response.json()) as { token?: string };
    if (response.status >= 500)
      throw await answerError({ ...guard.context, doing: "give a token" }, response);
    // Refused: the registry's own answer to what was asked for says it best.
    await response.body?.cancel();
    return undefined;
  }

  async #fetch(
    url: URL,
    { method, headers, body }: RegistryRequest,
    authorization: string | undefined,
    guard: Guard,
  ): Promise<Response> {
    const watched = body === undefined || body instanceof Uint8Array ? body : watch(body, guard);
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
      signal: signalOf(guard),
      ...(watched === undefined ? {} : { body: watched as RequestBody, duplex: "half" }),
    });
    guard.idle.progress();
    return response;
  }

  #failure(error: unknown, { idle, call, context, source }: Guard): unknown {
    if (call.signal?.aborted) return call.signal.reason;
    if (source.failure !== undefined) return source.failure.cause;
    if (idle.signal.aborted) return stallError(context, idle.timeoutMs);
    return ClipperError.isInstance(error) ? error : connectionError(context, error);
  }

  #context({ repository, doing }: RegistryRequest): RegistryCall {
    return { registry: this.registry, repository, doing };
  }

  #url({ repository, to }: RegistryRequest): URL {
    return to instanceof URL ? placeOf(to, this.#own) : new URL(`${repository}/${to}`, this.#own);
  }
}

/** As Node takes it: a stream may be any iterable. */
type RequestBody = NonNullable<RequestInit["body"]>;

/** What ends a request early, and what an error about it says. */
interface Guard {
  readonly idle: IdleTimer;
  readonly call: CallOptions;
  readonly context: RegistryCall;
  /** What was sent; where it could not be read, the registry had no part in that. */
  readonly source: { failure?: { readonly cause: unknown } };
}

function signalOf({ idle, call }: Guard): AbortSignal {
  return call.signal === undefined ? idle.signal : AbortSignal.any([idle.signal, call.signal]);
}

async function* watch(body: AsyncIterable<Uint8Array>, { idle, source }: Guard): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      idle.progress();
      yield chunk;
    }
  } catch (cause) {
    source.failure = { cause };
    throw cause;
  }
  idle.progress();
}
