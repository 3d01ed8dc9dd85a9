import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "./configuration-error.js";
import { Secrets } from "./secrets.js";
import { readSettings } from "./settings.js";

const GOOD = {
  CLIPPER_INSTANCE: "query-frontend-0",
  CLIPPER_LISTEN_QUERY: "tcp:127.0.0.1:1337",
  CLIPPER_LISTEN_RPC: "unix:/run/clipper/rpc.sock",
  CLIPPER_MANAGEMENT: "unix:/run/clipper/management.sock",
  CLIPPER_SECRETS: "/run/secrets",
};

describe("the settings", () => {
  it("have defaults for what need not be said", () => {
    expect(readSettings(GOOD)).toEqual({
      id: "query-frontend-0",
      listen: { kind: "tcp", host: "127.0.0.1", port: 1337 },
      rpcAddress: "unix:/run/clipper/rpc.sock",
      management: { kind: "unix", path: "/run/clipper/management.sock" },
      secretsDirectory: "/run/secrets",
      volume: undefined,
      lifelineFd: undefined,
      cacheBytes: 32 * 1024 * 1024,
      publicUrl: "",
      logLevel: "info",
      edge: "llhttp",
    });
  });

  it("say where callers reach what the platform publishes, unless they are told of a proxy before it", () => {
    const published = { ...GOOD, CLIPPER_OUTSIDE_QUERY: "tcp:[::1]:20777" };
    expect(readSettings(published).publicUrl).toBe("http://[::1]:20777");
    const url = "https://predict.example";
    expect(readSettings({ ...published, CLIPPER_PUBLIC_URL: url }).publicUrl).toBe(url);
  });

  it("take what other machines reach only when that is meant", () => {
    const anywhere = { ...GOOD, CLIPPER_LISTEN_QUERY: "tcp:0.0.0.0:1337", CLIPPER_BIND_ANY: "1" };
    expect(readSettings(anywhere).listen).toMatchObject({ host: "0.0.0.0" });
    expect(readSettings({ ...GOOD, CLIPPER_LISTEN_QUERY: "tcp:[::1]:1" }).listen).toMatchObject({
      host: "::1",
    });
  });

  it.each([
    ["CLIPPER_INSTANCE", undefined],
    ["CLIPPER_LISTEN_QUERY", undefined],
    ["CLIPPER_LISTEN_QUERY", "127.0.0.1:1337"],
    ["CLIPPER_LISTEN_QUERY", "tcp:127.0.0.1:70000"],
    ["CLIPPER_LISTEN_QUERY", "tls:127.0.0.1:1337"],
    ["CLIPPER_LISTEN_QUERY", "tcp:0.0.0.0:1337"],
    ["CLIPPER_LISTEN_QUERY", "tcp:128.0.0.1:1337"],
    ["CLIPPER_LISTEN_RPC", undefined],
    ["CLIPPER_LISTEN_RPC", "tcp:10.0.0.1:7000"],
    ["CLIPPER_MANAGEMENT", undefined],
    ["CLIPPER_MANAGEMENT", "http://127.0.0.1:1338"],
    ["CLIPPER_SECRETS", undefined],
    ["CLIPPER_CACHE_BYTES", "-1"],
    ["CLIPPER_CACHE_BYTES", "32MiB"],
    ["CLIPPER_LIFELINE", "three"],
    ["CLIPPER_PUBLIC_URL", "predict.example"],
    ["CLIPPER_OUTSIDE_QUERY", "127.0.0.1:20777"],
    ["CLIPPER_LOG_LEVEL", "loud"],
    ["CLIPPER_BIND_ANY", "yes"],
    ["CLIPPER_HTTP_EDGE", "nginx"],
  ])("refuse %s=%s by its name, in one line", (key, value) => {
    const refused = (): unknown => readSettings({ ...GOOD, [key]: value });
    expect(refused).toThrow(ConfigurationError);
    expect(refused).toThrow(expect.objectContaining({ facts: { key } }));
    expect(refused).toThrow(/^CLIPPER_[^\n]*$/);
  });
});

describe("the secrets", () => {
  it.each([
    ["missing", undefined, 0o600],
    ["empty", "", 0o600],
    ["short", "0123456789", 0o600],
    ["of two lines", "0123456789abcdefghijkl\n0123456789abcdefghijkl", 0o600],
    ["anybody's to read", "0123456789abcdefghijklmnop", 0o644],
  ])("refuse a token that is %s", async (_what, token, mode) => {
    const directory = await mkdtemp(join(tmpdir(), "clipper-secrets-"));
    try {
      const path = join(directory, "token");
      if (token !== undefined) {
        await writeFile(path, token);
        await chmod(path, mode);
      }
      await expect(new Secrets(directory).token()).rejects.toThrow(ConfigurationError);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
