import { expect, it } from "vitest";
import { createContainerManager } from "./create-container-manager.js";
import { originOptions, resolveOptions } from "./docker-options.js";
import { parseOverlay } from "./docker-overlay.js";
import { parseImageName } from "./images/image-name.js";

const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" });
const env = { HOME: "/nonexistent" };

it("refuses options that it does not know, and values that cannot be right", () => {
  expect(createContainerManager({ host: "unix:///a.sock" }).name).toBe("docker");
  for (const options of [
    { hots: "unix:///a" },
    { host: 1 },
    { host: "unix:///a", context: "b" },
    { certificates: "/c" },
    { pull: "always" },
    { stallTimeoutMs: 0 },
    { stallTimeoutMs: 2 ** 31 },
    { publishAddress: "localhost" },
  ]) {
    expect(() => createContainerManager(options), JSON.stringify(options)).toThrow(refused);
  }
});

it("remembers in its origin which engine the environment named", () => {
  const environment = { ...env, DOCKER_HOST: "tcp://box:1", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/c" };
  const origin = originOptions(resolveOptions({ pull: "never" }, environment));
  expect(origin).toMatchObject({ host: "tcp://box:1", certificates: "/c", pull: "never" });
  expect(originOptions(resolveOptions(origin, env))).toEqual(origin);
  expect(originOptions(resolveOptions({}, { ...env, DOCKER_CONTEXT: "box" }))).toMatchObject({
    context: "box",
  });
});

it("reads an overlay strictly", () => {
  expect(parseOverlay(undefined)).toEqual({});
  const overlay = {
    volumes: [{ source: "/data", target: "/data", readOnly: true }],
    extraHosts: { db: "10.0.0.1" },
    labels: { team: "a" },
    runtime: "runsc",
    shmBytes: 1,
    ulimits: { nofile: { soft: 1, hard: 2 } },
  };
  expect(parseOverlay(overlay)).toEqual(overlay);
  for (const wrong of [
    [],
    "text",
    { privileged: true },
    { volumes: [{ source: "/a", target: "relative" }] },
    { labels: { a: 1 } },
    { shmBytes: 0 },
    { ulimits: { nofile: 1 } },
  ]) {
    expect(() => parseOverlay(wrong), JSON.stringify(wrong)).toThrow(refused);
  }
});

it("takes an image's name apart", () => {
  const parts = (ref: string) => Object.values(parseImageName(ref));
  expect(parts("redis")).toEqual(["docker.io", "redis", "latest"]);
  expect(parts("clipper/digits:1")).toEqual(["docker.io", "clipper/digits", "1"]);
  expect(parts("box:5000/a/b:2")).toEqual(["box:5000", "box:5000/a/b", "2"]);
  expect(parts("localhost/a")).toEqual(["localhost", "localhost/a", "latest"]);
  expect(parts("ghcr.io/a@sha256:00")).toEqual(["ghcr.io", "ghcr.io/a", "sha256:00"]);
});
