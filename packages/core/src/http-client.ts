import {
  ClipperError,
  ConflictError,
  type ErrorBody,
  NotFoundError,
  RefusedError,
  UnreachableError,
} from "@clipper-serving/spec";
import { Agent, type Dispatcher, request } from "undici";
import { pause } from "./polling.js";

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  /** From the base URL, starting with `/`. */
  readonly path: string;
  readonly body?: unknown;
  /** Revision that the record must be at; `PRECONDITION_FAILED` otherwise. */
  readonly ifMatch?: number | undefined;
  /** Asking twice comes to the same as asking once. Default: of GET, and of PUT without `ifMatch`. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpClientOptions {
  /** Base URL, without a slash at the end. */
  readonly url: string;
  readonly token?: string;
  /** For errors: `the management frontend`. */
  readonly what: string;
  /** From sending the request to the end of the answer, ms. Default 30,000. */
  readonly timeoutMs?: number;
  /** For how long one that is away is asked again, where that is safe, before it counts as unreachable, ms. Default 0. */
  readonly patienceMs?: number;
  /** Asked while it is away: why it will not come back, where that is known. Default: it may. */
  readonly whyGone?: (() => Promise<ClipperError | undefined>) | undefined;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** What a connection that was never made ends with. */
const CODES_BEFORE_SENDING: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** JSON over HTTP, with every failure a typed error. Keeps its connections; close it. */
export class HttpClient {
  readonly url: string;
  readonly #what: string;
  readonly #headers: Record<string, string>;
  readonly #agent: Agent;
  readonly #patienceMs: number;
  readonly #whyGone: () => Promise<ClipperError | undefined>;

  constructor({
    url,
    token,
    what,
    timeoutMs = 30_000,
    patienceMs = 0,
    whyGone = async () => undefined,
  }: HttpClientOptions) {
    this.url = url;
    this.#what = what;
    this.#patienceMs = patienceMs;
    this.#whyGone = whyGone;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#agent = new Agent({
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: { timeout: 5_000 },
      keepAliveTimeout: 10_000,
    });
  }

  /**
   * @returns the parsed JSON answer; undefined for one without a body
   * @throws UnreachableError, or what the answer's status and code say
   */
  async send<Answer>(httpRequest: HttpRequest): Promise<Answer> {
    const text = await this.sendForText(httpRequest);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  /** As `send`, with the answer's body as it came. */
  async sendForText(httpRequest: HttpRequest): Promise<string> {
    const { status, text } = await this.#exchange(httpRequest);
    if (status >= 200 && status < 300) return text;
    throw errorOf(status, text, this.#what);
  }

  /** As `send`, with undefined where the answer is 404. */
  async find<Answer>(path: string, signal?: AbortSignal): Promise<Answer | undefined> {
    const { status, text } = await this.#exchange({ method: "GET", path, signal });
    if (status === 404) return undefined;
    if (status >= 200 && status < 300) return JSON.parse(text) as Answer;
    throw errorOf(status, text, this.#what);
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #exchange(httpRequest: HttpRequest): Promise<Answered> {
    const { signal } = httpRequest;
    const endsAt = performance.now() + this.#patienceMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted();
      try {
        return await this.#exchangeOnce(httpRequest);
      } catch (cause) {
        signal?.throwIfAborted();
        const mayRepeat = isRepeatable(httpRequest) || wasNotSent(cause);
        if (!mayRepeat || performance.now() + pauseMs > endsAt) throw this.#unreachable(cause);
        const gone = await this.#whyGone();
        if (gone !== undefined) throw gone;
        await pause(pauseMs, signal);
      }
    }
  }

  async #exchangeOnce({ method, path, body, ifMatch, signal }: HttpRequest): Promise<Answered> {
    const answer = await request(`${this.url}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        ...this.#headers,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  }

  #unreachable(cause: unknown): UnreachableError {
    return new UnreachableError({
      what: this.#what,
      address: this.url,
      hint: "look at `clipper status` and `clipper logs`",
      cause,
    });
  }
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

function isRepeatable({ method, ifMatch, repeatable }: HttpRequest): boolean {
  return repeatable ?? (method === "GET" || (method === "PUT" && ifMatch === undefined));
}

/** Whether nobody can have heard of the request, so that it may be sent again whatever it asks for. */
function wasNotSent(error: unknown): boolean {
  return CODES_BEFORE_SENDING.has(String((error as NodeJS.ErrnoException).code));
}

/** What an answer that is not 2xx means. The frontend's own code, facts and hint are kept. */
function errorOf(status: number, text: string, what: string): ClipperError {
  const body = parseErrorBody(text);
  const message = body?.cause ?? `${what} answered ${status}: ${text.slice(0, 200)}`;
  const options = {
    ...(body === undefined ? {} : { code: body.code }),
    message,
    ...(body?.hint === undefined ? {} : { hint: body.hint }),
    facts: { ...body?.facts, status },
  };
  // Clipper answers 400 for a version that is not there, and so do we.
  if (status === 404 || body?.code === "UNKNOWN_VERSION") {
    return new NotFoundError({
      kind: (body?.facts?.kind as "application" | undefined) ?? (status === 404 ? "application" : "version"),
      name: String(body?.facts?.name ?? ""),
      message,
      ...(body?.hint === undefined ? {} : { hint: body.hint }),
    });
  }
  if (status === 409 || status === 412) return new ConflictError(options);
  if (status === 401 || status === 403) return new RefusedError(options);
  return new ClipperError({
    ...options,
    code: body?.code ?? (status >= 500 ? "SERVER_FAILED" : "BAD_REQUEST"),
  });
}

function parseErrorBody(text: string): ErrorBody | undefined {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody>;
    return typeof body.cause === "string" && typeof body.code === "string" ? (body as ErrorBody) : undefined;
  } catch {
    // Not JSON: something else answered at this address; the text itself is shown.
    return undefined;
  }
}
