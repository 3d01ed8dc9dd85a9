import {
  ClipperError,
  ConflictError,
  type ErrorBody,
  NotFoundError,
  RefusedError,
  UnreachableError,
} from "@clipper-serving/spec";
import { Agent, type Dispatcher, request } from "undici";

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  /** From the base URL, starting with `/`. */
  readonly path: string;
  readonly body?: unknown;
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
}

/** JSON over HTTP, with every failure a typed error. Keeps its connections; close it. */
export class HttpClient {
  readonly url: string;
  readonly #what: string;
  readonly #headers: Record<string, string>;
  readonly #agent: Agent;

  constructor({ url, token, what, timeoutMs = 30_000 }: HttpClientOptions) {
    this.url = url;
    this.#what = what;
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

  async #exchange({ method, path, body, signal }: HttpRequest): Promise<{ status: number; text: string }> {
    signal?.throwIfAborted();
    try {
      const answer = await request(`${this.url}${path}`, {
        method,
        dispatcher: this.#agent,
        headers:
          body === undefined ? this.#headers : { ...this.#headers, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new UnreachableError({
        what: this.#what,
        address: this.url,
        hint: "look at `clipper status` and `clipper logs`",
        cause,
      });
    }
  }
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
