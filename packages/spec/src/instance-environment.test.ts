import { describe, expect, it } from "vitest";
import { formatAddress, listenVariable, parseAddress } from "./index.js";

describe("addresses", () => {
  it.each([
    ["unix:/run/clipper/rpc.sock", { kind: "unix", path: "/run/clipper/rpc.sock" }],
    ["tcp:127.0.0.1:7000", { kind: "tcp", host: "127.0.0.1", port: 7000 }],
    ["tls:query-frontend:443", { kind: "tls", host: "query-frontend", port: 443 }],
    ["tcp:[::1]:80", { kind: "tcp", host: "::1", port: 80 }],
  ])("reads %s and writes it back", (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(parseAddress(text) ?? { kind: "unix", path: "/" })).toBe(text);
  });

  it.each([
    "",
    "unix:relative",
    "tcp:host",
    "tcp::80",
    "tcp:host:65536",
    "tcp:a b:80",
    "http://host:80",
    "tcp:::1:80",
  ])("does not read %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it("names the variable of a port", () => {
    expect(listenVariable("query-rpc")).toBe("CLIPPER_LISTEN_QUERY_RPC");
  });
});
