import { expect, it } from "vitest";
import { challengesIn } from "./challenges.js";

const bearer = {
  scheme: "bearer",
  parameters: { realm: "https://auth.example/token", service: "a registry" },
};

it.each([
  ["one", 'Bearer realm="https://auth.example/token",service="a registry"', [bearer]],
  [
    "one of several",
    'Bearer realm="https://auth.example/token",service="a registry", Basic realm="Registry"',
    [bearer, { scheme: "basic", parameters: { realm: "Registry" } }],
  ],
  [
    "one after others that have nothing, or a word of their own",
    'Negotiate, NTLM TlRMTVNTUAAC==, BEARER Realm = "https://auth.example/token" , service="a registry"',
    [{ scheme: "negotiate", parameters: {} }, { scheme: "ntlm" }, bearer],
  ],
  [
    "values without quotes, and with quotes in them",
    'Basic realm=registry, charset="\\"UTF-8\\", please"',
    [{ scheme: "basic", parameters: { realm: "registry", charset: '"UTF-8", please' } }],
  ],
  ["none", "", []],
])("finds %s", (_what, header, expected) => {
  const found = challengesIn(header).filter(({ scheme }) => expected.some((one) => one.scheme === scheme));
  expect(found).toMatchObject(expected);
});
