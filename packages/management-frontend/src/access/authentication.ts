import { createHash, timingSafeEqual } from "node:crypto";
import { TooManyAttemptsError, UnauthorizedError } from "./access-errors.js";
import type { AttemptLimiter } from "./attempt-limiter.js";

/** What of a request says who is asking. */
export interface Credentials {
  readonly authorization: string | undefined;
  /** Path and query as they came. */
  readonly url: string;
  readonly peer: string;
}

export interface Authentication {
  /** @throws UnauthorizedError, TooManyAttemptsError */
  check(credentials: Credentials): void;
}

/** Query parameters people put tokens in. */
const TOKEN_PARAMETERS = /[?&](?:access_token|token|api_key|apikey|authorization)=/i;

/**
 * Compares in constant time. A right token passes even while its peer is locked: on loopback all peers share one address, and a
 * stranger's guesses must not shut the frontends out. Guessing 128 bits is hopeless with or without the lock; it keeps the log short.
 */
export function createAuthentication(options: { token: string; limiter: AttemptLimiter }): Authentication {
  const expected = digest(options.token);
  return {
    check({ authorization, url, peer }) {
      if (TOKEN_PARAMETERS.test(url)) {
        throw new UnauthorizedError({
          code: "TOKEN_IN_URL",
          message: "a token in the URL is refused, because URLs end up in logs; make a new token",
        });
      }
      const token = tokenOf(authorization);
      if (token === undefined) {
        throw new UnauthorizedError({
          code: "TOKEN_MISSING",
          message: "this path needs the cluster's token",
        });
      }
      if (timingSafeEqual(digest(token), expected)) return;
      const retryAfterMs = options.limiter.wrong(peer);
      if (retryAfterMs > 0) throw new TooManyAttemptsError({ retryAfterMs });
      throw new UnauthorizedError({ code: "TOKEN_WRONG", message: "this is not the cluster's token" });
    },
  };
}

/**
 * `Bearer <token>`, or the password of `Basic`: a client that can only be given an address, as Clipper's own, carries the token as
 * `http://clipper:<token>@host:port`.
 */
function tokenOf(authorization: string | undefined): string | undefined {
  const [scheme, value] = authorization?.trim().split(/ +/, 2) ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const userAndPassword = Buffer.from(value, "base64").toString("utf8");
  return userAndPassword.slice(userAndPassword.indexOf(":") + 1);
}

/** Equal lengths for the comparison, whatever came. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
