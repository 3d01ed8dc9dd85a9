import { TooLargeError } from "../http/request-errors.js";

/** It is in every default answer. */
const LIMIT_BYTES = 65_536;

/** @throws TooLargeError */
export function checkDefaultOutput(text: string): void {
  if (Buffer.byteLength(text) > LIMIT_BYTES) {
    throw new TooLargeError({ what: "a default output", limitBytes: LIMIT_BYTES });
  }
}
