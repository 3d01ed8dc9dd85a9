import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfiguration } from "./configuration.js";
import { readToken } from "./secret-token.js";

const GOOD = {
  CLIPPER_LISTEN_MANAGEMENT: "tcp:127.0.0.1:0",
  CLIPPER_SECRETS: "/run/secrets",
  CLIPPER_VOLUME: "/data",
  CLIPPER_CLUSTER: "c",
};

describe("readConfiguration", () => {
  it("reads what a container manager tells an instance", () => {
    const told = {
      ...GOOD,
      CLIPPER_INSTANCE: "i",
      CLIPPER_WORKLOAD: "w",
      CLIPPER_LIFELINE: "3",
      PATH: "/bin",
    };
    expect(readConfiguration(told)).toEqual({
      listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
      secretsDirectory: "/run/secrets",
      cluster: "c",
      instance: "i",
      state: { kind: "sqlite", directory: "/data" },
      lifelineFd: 3,
      logLevel: "info",
      bindAny: false,
      compat: false,
    });
  });

  it("needs a volume only for the store that lies on it", () => {
    const nowhere = { ...GOOD, CLIPPER_VOLUME: undefined };
    expect(() => readConfiguration(nowhere)).toThrow(/^CLIPPER_VOLUME: /);
    const read = (state: Record<string, string>) => readConfiguration({ ...nowhere, ...state }).state;
    expect(read({ CLIPPER_STATE: "memory" })).toEqual({ kind: "memory" });
    expect(read({ CLIPPER_STATE: "redis" })).toEqual({ kind: "redis", prefix: "clipper:c:" });
    expect(read({ CLIPPER_STATE: "redis", CLIPPER_REDIS_PREFIX: "p:" })).toEqual({
      kind: "redis",
      prefix: "p:",
    });
  });

  it("listens beyond this machine only when told so twice", () => {
    const everywhere = { ...GOOD, CLIPPER_LISTEN_MANAGEMENT: "tcp:0.0.0.0:1338" };
    expect(() => readConfiguration(everywhere)).toThrow(/^CLIPPER_LISTEN_MANAGEMENT: .*CLIPPER_BIND_ANY/);
    expect(readConfiguration({ ...everywhere, CLIPPER_BIND_ANY: "1" }).bindAny).toBe(true);
  });

  it("takes requests without a token only on loopback", () => {
    const open = { ...GOOD, CLIPPER_COMPAT: "1", CLIPPER_BIND_ANY: "1" };
    expect(readConfiguration(open).compat).toBe(true);
    expect(() => readConfiguration({ ...open, CLIPPER_LISTEN_MANAGEMENT: "tcp:10.0.0.1:1" })).toThrow(
      /^CLIPPER_COMPAT: /,
    );
  });

  it.each([
    ["CLIPPER_LISTEN_MANAGEMENT", undefined],
    ["CLIPPER_LISTEN_MANAGEMENT", "tcp:127.0.0.1:abc"],
    ["CLIPPER_LISTEN_MANAGEMENT", "tcp:127.0.0.1:70000"],
    ["CLIPPER_LISTEN_MANAGEMENT", "tls:127.0.0.1:1"],
    ["CLIPPER_SECRETS", undefined],
    ["CLIPPER_VOLUME", undefined],
    ["CLIPPER_CLUSTER", ""],
    ["CLIPPER_LIFELINE", "three"],
    ["CLIPPER_LOG_LEVEL", "loud"],
    ["CLIPPER_BIND_ANY", "yes"],
    ["CLIPPER_STATE", "disk"],
  ])("names the variable when %s is %j", (key, value) => {
    expect(() => readConfiguration({ ...GOOD, [key]: value })).toThrow(new RegExp(`^${key}: `));
  });

  it("names the variable a misspelt one was meant to be, and leaves others' alone", () => {
    expect(() => readConfiguration({ ...GOOD, CLIPPER_LOGLEVEL: "debug" })).toThrow(/CLIPPER_LOG_LEVEL/);
    expect(
      readConfiguration({ ...GOOD, CLIPPER_HOME: "/h", CLIPPER_TOKEN: "t", CLIPPER_FRONTENDS: "f" }),
    ).toBeDefined();
  });
});

describe("readToken", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "clipper-mf-"));
  });

  afterEach(() => rm(directory, { recursive: true }));

  async function write(token: string, mode = 0o600): Promise<void> {
    await writeFile(join(directory, "token"), token);
    await chmod(join(directory, "token"), mode);
  }

  it("reads the token without the line's end", async () => {
    await write("0123456789abcdef0123456789abcdef\n");
    expect(await readToken(directory)).toBe("0123456789abcdef0123456789abcdef");
  });

  it.each([
    ["is missing", undefined, 0o600],
    ["is empty", "", 0o600],
    ["is short", "0123456789abcdef", 0o600],
    ["is two words", "0123456789abcdef 0123456789abcdef", 0o600],
    ["is the group's to read", "0123456789abcdef0123456789abcdef", 0o640],
    ["is everybody's to read", "0123456789abcdef0123456789abcdef", 0o604],
  ])("refuses a token that %s", async (_what, token, mode) => {
    if (token !== undefined) await write(token, mode);
    await expect(readToken(directory)).rejects.toMatchObject({
      code: "BAD_CONFIGURATION",
      message: expect.stringMatching(/^CLIPPER_SECRETS: /),
    });
  });
});
