import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "./open-store.js";

describe("a store in Redis", () => {
  let secretsDirectory: string;

  beforeEach(async () => {
    secretsDirectory = await mkdtemp(join(tmpdir(), "clipper-mf-"));
  });

  afterEach(() => rm(secretsDirectory, { recursive: true }));

  const open = () => openStore({ state: { kind: "redis", prefix: "c:" }, secretsDirectory });
  const write = async (url: string, mode = 0o600) => {
    await writeFile(join(secretsDirectory, "redis-url"), url);
    await chmod(join(secretsDirectory, "redis-url"), mode);
  };

  it.each([
    ["is missing", undefined, 0o600],
    ["is everybody's to read", "redis://:hunter2@127.0.0.1:1", 0o644],
    ["holds something else", "http://:hunter2@127.0.0.1:1", 0o600],
  ])("is refused when the file with its address %s, without repeating it", async (_what, url, mode) => {
    if (url !== undefined) await write(url, mode);
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "BAD_CONFIGURATION",
      message: expect.stringMatching(/^CLIPPER_SECRETS: .*redis-url/),
    });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  it("says where nothing answers, without the password", async () => {
    await write("redis://:hunter2@127.0.0.1:1/3\n");
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "STORE_UNAVAILABLE",
      hint: expect.stringContaining("127.0.0.1:1/3"),
    });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });
});
