import { createHmac, timingSafeEqual } from "node:crypto";
import type { HelloFrame } from "../codec/frames.js";
import { ROLES } from "../codec/wire-format.js";

export interface ProofOptions {
  /** The cluster's RPC secret. */
  readonly secret: Uint8Array;
  readonly nonce: Uint8Array;
  readonly hello: HelloFrame;
}

/** @returns what a replica proves by that it knows the secret, and that the HELLO is its own */
export function proofOf({ secret, nonce, hello }: ProofOptions): Uint8Array {
  const hmac = createHmac("sha256", secret).update("clipper-rpc-4\n");
  const values = [
    nonce,
    Uint8Array.of(ROLES.indexOf(hello.role) + 1),
    Buffer.from(hello.model),
    Buffer.from(hello.version),
    Buffer.from(hello.replicaId),
    Buffer.from(hello.incarnation, "hex"),
  ];
  for (const value of values) {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(value.byteLength);
    hmac.update(length).update(value);
  }
  return hmac.digest();
}

export function isProven(proof: Uint8Array, options: ProofOptions): boolean {
  return timingSafeEqual(proof, proofOf(options));
}
