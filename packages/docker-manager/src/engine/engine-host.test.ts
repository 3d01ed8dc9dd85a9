import { expect, it } from "vitest";
import { parseEngineHost } from "./engine-host.js";

it("reads what DOCKER_HOST and contexts write", () => {
  expect(parseEngineHost("unix:///run/a.sock")).toEqual({ kind: "socket", path: "/run/a.sock" });
  expect(parseEngineHost("npipe:////./pipe/docker_engine")).toEqual({
    kind: "socket",
    path: "//./pipe/docker_engine",
  });
  expect(parseEngineHost("tcp://10.0.0.1")).toEqual({ kind: "tcp", hostname: "10.0.0.1", port: 2375 });
  expect(parseEngineHost("tcp://[::1]:99")).toEqual({ kind: "tcp", hostname: "::1", port: 99 });
  expect(parseEngineHost("ssh://me@box.example:2222")).toEqual({
    kind: "ssh",
    destination: "me@box.example",
    port: 2222,
  });
});

it("speaks TLS where certificates, https or the port ask for it", () => {
  const tls = { verify: true, ca: "/c/ca.pem" };
  expect(parseEngineHost("tcp://a", tls)).toMatchObject({ port: 2376, tls });
  expect(parseEngineHost("tcp://a:2376")).toMatchObject({ tls: { verify: true } });
  expect(parseEngineHost("https://a:99")).toMatchObject({ port: 99, tls: { verify: true } });
});

it("reads which socket of another machine is meant, and nothing that its shell would", () => {
  expect(parseEngineHost("ssh://box/run/user/1000/docker.sock")).toEqual({
    kind: "ssh",
    destination: "box",
    socket: "/run/user/1000/docker.sock",
  });
  expect(parseEngineHost("ssh://box/")).toEqual({ kind: "ssh", destination: "box" });
  for (const text of [
    "ssh://box/a;touch$IFS/b",
    "ssh://box/a$(b)",
    "ssh://box/a b",
    "ssh://box?a",
    "ssh://box#a",
  ]) {
    expect(() => parseEngineHost(text), text).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  }
});

it("refuses a password, and does not repeat it", () => {
  expect(() => parseEngineHost("ssh://me:hunter2@box")).toThrow(/not "ssh:\/\/me@box"$/);
});

it("refuses everything else, and a host that ssh would read as an option", () => {
  for (const text of ["", "docker", "ftp://a", "unix://", "ssh://-oProxyCommand=x@box"]) {
    expect(() => parseEngineHost(text), text).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  }
});
