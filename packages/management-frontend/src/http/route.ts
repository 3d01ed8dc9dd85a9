import type { ServerResponse } from "node:http";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Who may ask without the token. */
export type Access = "token" | "anyone" | "token-or-loopback";

export interface RouteRequest {
  /** Names in the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** What was sent as JSON; undefined when there was no body. Parsed when asked for. @throws BadRequestError */
  readonly body: () => unknown;
  readonly ifMatch: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a string as it is, under `headers`' content type or `text/plain`. */
  readonly body?: object | string;
}

/** Answers for as long as both sides like, on the response itself. */
export interface StreamAnswer {
  readonly stream: (response: ServerResponse) => Promise<void>;
}

export interface Route {
  readonly method: Method;
  /** `/v1/models/{model}`. */
  readonly path: string;
  /** Default `token`. */
  readonly access?: Access;
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number;
  readonly handle: (request: RouteRequest) => Answer | StreamAnswer | Promise<Answer | StreamAnswer>;
  /** How an error is shown. Default: an `ErrorBody` with the status of the table. */
  readonly showError?: (error: unknown, requestId: string) => Answer;
}

/** @returns the parameter; a route's path always has it */
export function param({ params }: RouteRequest, name: string): string {
  return params[name]!;
}
