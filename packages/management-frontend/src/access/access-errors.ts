import { ClipperError, RefusedError } from "@clipper-serving/spec";

/** No token, or another one than the cluster's. */
export class UnauthorizedError extends RefusedError {
  constructor(options: { code: "TOKEN_MISSING" | "TOKEN_WRONG" | "TOKEN_IN_URL"; message: string }) {
    super({
      ...options,
      hint: "send the cluster's token as `Authorization: Bearer …`; `$CLIPPER_HOME` keeps it beside the cluster's file",
    });
  }
}

/** Too many wrong tokens from one peer. */
export class TooManyAttemptsError extends ClipperError {
  readonly retryAfterMs: number;

  constructor(options: { retryAfterMs: number }) {
    super({
      code: "TOO_MANY_ATTEMPTS",
      message: "too many wrong tokens came from this address",
      hint: "wait, then send the right token",
      facts: { retryAfterMs: options.retryAfterMs },
    });
    this.retryAfterMs = options.retryAfterMs;
  }
}
