import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { HelloFrame } from "../codec/frames.js";
import { identityFor } from "../test-support/recording-replica.ts";
import { isProven, proofOf } from "./proof.js";

const hello: HelloFrame = {
  ...identityFor({ model: "m", version: "2", replicaId: "r" }),
  type: "HELLO",
  id: 0,
  mayIgnore: false,
  versionMin: 4,
  versionMax: 4,
  role: "control",
  features: 0,
};
const secret = Buffer.from("secret");
const nonce = Buffer.alloc(32, 7);

describe("the proof", () => {
  it("is HMAC-SHA256 over the bytes the page says", () => {
    const text = Buffer.concat([
      Buffer.from("clipper-rpc-4\n"),
      Buffer.from("2000", "hex"),
      nonce,
      Buffer.from("0100 02 0100 6d 0100 32 0100 72 1000".replaceAll(" ", ""), "hex"),
      Buffer.from(hello.incarnation, "hex"),
    ]);
    const expected = createHmac("sha256", secret).update(text).digest("hex");
    expect(Buffer.from(proofOf({ secret, nonce, hello })).toString("hex")).toBe(expected);
  });

  it.each([
    ["another secret", { secret: Buffer.from("secre") }],
    ["another nonce", { nonce: Buffer.alloc(32, 8) }],
    ["another role", { hello: { ...hello, role: "data" as const } }],
    ["another model", { hello: { ...hello, model: "m2" } }],
    ["a name moved into the next", { hello: { ...hello, model: "m2", version: "" } }],
    ["another replica", { hello: { ...hello, replicaId: "r2" } }],
    ["another incarnation", { hello: { ...hello, incarnation: "11".repeat(16) } }],
  ])("holds for nothing else: %s", (_, change) => {
    const proof = proofOf({ secret, nonce, hello });
    expect(isProven(proof, { secret, nonce, hello })).toBe(true);
    expect(isProven(proof, { secret, nonce, hello, ...change })).toBe(false);
  });
});
