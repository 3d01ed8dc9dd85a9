import { ClipperError, RefusedError } from "@clipper-serving/spec";

/** The `Host` is not one this frontend answers to: a page somewhere made a name of its own point here. */
export class MisdirectedRequestError extends ClipperError {
  constructor(options: { host: string | undefined }) {
    super({
      code: "BAD_HOST",
      message: `this frontend does not answer to the host ${JSON.stringify((options.host ?? "").slice(0, 80))}`,
      hint: "use localhost or 127.0.0.1",
      facts: {},
    });
  }
}

/** A browser page asks. */
class OriginDeniedError extends RefusedError {
  constructor() {
    super({
      code: "ORIGIN_DENIED",
      message: "requests of browser pages are refused",
      hint: "call from a program, without an Origin header",
    });
  }
}

const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/** @throws MisdirectedRequestError when `host` is not a name of this machine for itself */
export function checkLoopbackHost(host: string | undefined): void {
  if (host === undefined || !LOOPBACK_HOST.test(host)) throw new MisdirectedRequestError({ host });
}

/** @throws OriginDeniedError whatever the origin is: no page has a reason to call management */
export function checkOrigin(origin: string | undefined): void {
  if (origin !== undefined) throw new OriginDeniedError();
}

/** Whether the peer is this machine: over loopback or a unix socket. */
export function isLoopbackPeer(address: string | undefined): boolean {
  return address === undefined || address === "" || /^(?:127\.|::1$|::ffff:127\.)/.test(address);
}
