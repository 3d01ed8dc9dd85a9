import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveClusterSettings } from "./cluster-settings.js";
import { directoryFrontends, managementWorkload } from "./composition.js";
import { redisUrlSecret, resolveStateSettings, settleState } from "./state-settings.js";

const REDIS = { redis: { url: "redis://127.0.0.1:6379" } };

describe("a cluster's state in Redis", () => {
  it.each([
    ["no address", "here"],
    ["another scheme", "http://:hunter2@127.0.0.1"],
    ["a password, which would be remembered in the clear", "redis://u:hunter2@127.0.0.1"],
  ])("refuses %s without repeating it", (_what, url) => {
    const error = (() => {
      try {
        return resolveStateSettings({ redis: { url } });
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT", facts: { argument: "state.redis.url" } });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  it("gets keys of its own for each new cluster, and the same ones from then on", () => {
    const first = settleState("c", REDIS, undefined);
    expect(first?.redis.prefix).toMatch(/^clipper:c:[0-9a-f]{8}:$/);
    expect(settleState("c", REDIS, undefined)).not.toEqual(first);
    expect(settleState("c", REDIS, { state: first })).toEqual(first);
    expect(settleState("c", undefined, { state: first })).toEqual(first);
    const moved = { redis: { url: "redis://elsewhere" } };
    expect(settleState("c", moved, { state: first })?.redis).toEqual({
      url: "redis://elsewhere",
      prefix: first?.redis.prefix,
    });
    const taken = { redis: { ...REDIS.redis, prefix: "found:" } };
    expect(settleState("c", taken, undefined)).toEqual(taken);
  });

  it("is either a server that is there, or one that the cluster runs: never both, and not one after the other", () => {
    const managed = { redis: { managed: true, prefix: "p:" } } as const;
    expect(resolveStateSettings(managed)).toEqual(managed);
    for (const more of [{ url: "redis://127.0.0.1" }, { passwordFile: "/p" }]) {
      expect(() => resolveStateSettings({ redis: { ...managed.redis, ...more } })).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
    expect(settleState("c", { redis: { managed: true } }, undefined)?.redis).toMatchObject({
      managed: true,
      prefix: expect.stringMatching(/^clipper:c:[0-9a-f]{8}:$/),
    });
    expect(settleState("c", { redis: { managed: true } }, { state: managed })).toEqual(managed);
    for (const [wanted, known] of [
      [REDIS, managed],
      [managed, REDIS],
    ] as const) {
      expect(() => settleState("c", wanted, { state: known })).toThrow(
        expect.objectContaining({ code: "STATE_ELSEWHERE" }),
      );
    }
  });

  it("is not where the records of a cluster that keeps them on its volume would be looked for", () => {
    expect(() => settleState("c", REDIS, { state: undefined })).toThrow(
      expect.objectContaining({ code: "STATE_ELSEWHERE" }),
    );
  });

  it("tells the password to management alone, in a secret file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "clipper-core-"));
    try {
      const passwordFile = join(directory, "password");
      await writeFile(passwordFile, "s3cret/pass word%\n", { mode: 0o600 });
      const state = { redis: { url: "redis://u@127.0.0.1:7/2", passwordFile, prefix: "p:" } };
      const redisUrl = await redisUrlSecret(state.redis);
      expect(decodeURIComponent(new URL(Buffer.from(redisUrl).toString()).password)).toBe(
        "s3cret/pass word%",
      );
      const bytes = new Uint8Array(1);
      const workload = managementWorkload(directoryFrontends.management, resolveClusterSettings({ state }), {
        token: bytes,
        rpc: bytes,
        redisUrl,
      });
      expect(workload.env).toMatchObject({ CLIPPER_STATE: "redis", CLIPPER_REDIS_PREFIX: "p:" });
      expect(workload.volume).toBeUndefined();
      const { secretFiles, ...open } = workload;
      expect(Object.keys(secretFiles)).toEqual(["token", "redis-url"]);
      expect(JSON.stringify(open)).not.toContain("s3cret");
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("refuses a password that others may read, and one that is not there", async () => {
    const directory = await mkdtemp(join(tmpdir(), "clipper-core-"));
    try {
      const passwordFile = join(directory, "password");
      const state = { redis: { ...REDIS.redis, passwordFile } };
      await expect(redisUrlSecret(state.redis)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await writeFile(passwordFile, "x", { mode: 0o644 });
      await expect(redisUrlSecret(state.redis)).rejects.toMatchObject({ code: "SECRET_READABLE" });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
