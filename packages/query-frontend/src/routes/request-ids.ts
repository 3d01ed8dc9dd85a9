import { randomBytes } from "node:crypto";

const ACCEPTABLE_ID = /^[A-Za-z0-9._:@/+=-]{1,128}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Names requests: by the caller's own name where it is harmless, else by one of ours. */
export class RequestIds {
  readonly #prefix = randomBytes(6).toString("hex");
  #count = 0;

  /** @returns the caller's id when it may stand in headers and logs */
  accepted(requestId: string | undefined): string | undefined {
    return requestId !== undefined && ACCEPTABLE_ID.test(requestId) ? requestId : undefined;
  }

  next(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }
}

/** @returns the W3C trace context when it is one */
export function acceptedTrace(traceparent: string | undefined): string | undefined {
  return traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined;
}
