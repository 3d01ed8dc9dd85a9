import { ClipperError } from "./clipper-error.js";

/** A peer sent bytes that are not the protocol. The connection they came on is closed; no other is touched. */
export class ProtocolError extends ClipperError {
  constructor(options: { message: string; facts?: Readonly<Record<string, unknown>>; cause?: unknown }) {
    super({ code: "PROTOCOL", ...options });
  }
}
