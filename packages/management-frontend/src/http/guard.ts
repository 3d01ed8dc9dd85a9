import type { IncomingMessage } from "node:http";
import type { Authentication } from "../access/authentication.js";
import { checkLoopbackHost, checkOrigin, isLoopbackPeer } from "../access/host-and-origin.js";
import { BadRequestError, UnsupportedMediaTypeError } from "./request-errors.js";
import type { Access } from "./route.js";

export interface GuardOptions {
  readonly authentication: Authentication;
  /** Only names of this machine are taken as `Host`: for a listener on loopback, which a page could be made to point at. */
  readonly loopbackHostsOnly: boolean;
}

/** Everything about a request that is looked at before its body is read. */
export class Guard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** @throws MisdirectedRequestError, OriginDeniedError, UnauthorizedError, TooManyAttemptsError, BadRequestError */
  check(request: IncomingMessage, access: Access): void {
    const { headers, url = "", socket } = request;
    if (request.rawHeaders.filter((name, at) => at % 2 === 0 && /^host$/i.test(name)).length > 1) {
      throw new BadRequestError({ code: "BAD_REQUEST", message: "a request has one Host header" });
    }
    if (this.#options.loopbackHostsOnly) checkLoopbackHost(headers.host);
    checkOrigin(headers.origin);
    const free =
      access === "anyone" || (access === "token-or-loopback" && isLoopbackPeer(socket.remoteAddress));
    if (free) return;
    this.#options.authentication.check({
      authorization: headers.authorization,
      url,
      peer: socket.remoteAddress ?? "unix",
    });
  }
}

/** @throws UnsupportedMediaTypeError when a body comes that is not plain JSON in UTF-8 */
export function checkMediaType({ headers }: IncomingMessage): void {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if (!hasBody) return;
  const type = headers["content-type"];
  if (type === undefined || !/^application\/json\s*(?:;\s*charset="?utf-?8"?\s*)?$/i.test(type.trim())) {
    throw new UnsupportedMediaTypeError({ header: "content-type", value: type });
  }
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new UnsupportedMediaTypeError({ header: "content-encoding", value: encoding });
  }
}
