import { isIPv4 } from "node:net";
import type { Address } from "@clipper-serving/spec";
import type { EdgeRequest } from "../edge/http-edge.js";
import { RequestError } from "./request-error.js";

/**
 * Keeps web pages of other sites away from a frontend on somebody's own machine: a page may send requests here, and may make its own name resolve to
 * this address, but it cannot change its Origin or the Host it asked for.
 */
export class CallerGuard {
  readonly #checksHost: boolean;
  readonly #publicHost: string | undefined;
  /** The Host last found good: mostly the next one's too. */
  #goodHost: string | undefined;

  /** @param publicUrl where callers outside reach the frontend, "" when they do not */
  constructor(address: Address, publicUrl: string) {
    this.#checksHost = address.kind !== "unix" && isLoopback(address.host);
    this.#publicHost = URL.canParse(publicUrl) ? new URL(publicUrl).hostname.toLowerCase() : undefined;
  }

  /** @throws RequestError `BAD_HOST`, `ORIGIN_DENIED` */
  check(request: EdgeRequest, authority?: string): void {
    const host = authority ?? request.host;
    if (this.#checksHost && host !== undefined && host !== this.#goodHost) this.#checkHost(host);
    if (request.origin !== undefined) checkOrigin(request.origin, host);
  }

  #checkHost(host: string): void {
    const name = hostName(host);
    const known = name === this.#publicHost || name === "localhost" || name.endsWith(".localhost");
    if (!known && !isLoopback(name)) {
      throw new RequestError("BAD_HOST", "the request's Host is not a name of this frontend", {
        hint: "use localhost or a loopback address, or set CLIPPER_PUBLIC_URL",
      });
    }
    this.#goodHost = host;
  }
}

function checkOrigin(origin: string, host: string | undefined): void {
  const sameSite = URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
  if (!sameSite) throw new RequestError("ORIGIN_DENIED", "pages of other sites may not send requests here");
}

/** Without the port; an IPv6 address without its brackets. */
function hostName(host: string): string {
  const bracketed = /^\[([0-9a-fA-F:.]*)\](?::\d*)?$/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d*$/, "")).toLowerCase();
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
