import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connectEngine } from "../discovery/connect-engine.js";
import { Engine } from "../engine/engine.js";
import { type Answer, FakeEngine } from "../test-support/fake-engine.js";
import { programImage } from "./program-image.js";

const ID = `sha256:${"1".repeat(64)}`;

beforeEach(() => vi.stubEnv("DOCKER_CONFIG", "/nonexistent"));
afterEach(() => vi.unstubAllEnvs());

/** Asks for an image that the engine lacks until `pull` has been answered with these lines. */
async function pull(
  lines: readonly object[],
  { status = 200, digest }: { status?: number; digest?: string } = {},
): Promise<{ id: string; request: IncomingMessage }> {
  let request: IncomingMessage | undefined;
  const answers: Record<string, Answer> = {
    "/images/create": (asked, response) => {
      request = asked;
      response.writeHead(status).end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    },
    "/images/": (_asked, response) => {
      if (request === undefined) response.writeHead(404).end('{"message":"No such image"}');
      else response.end(JSON.stringify({ Id: ID, RootFS: {}, Os: "linux", Architecture: "amd64" }));
    },
  };
  await using fake = await FakeEngine.start({ answers });
  const host = { kind: "socket", path: fake.socket } as const;
  const { client, version } = await connectEngine([{ source: "test", name: fake.socket, host }]);
  try {
    const program = {
      kind: "image",
      ref: "box.example/a:1",
      ...(digest === undefined ? {} : { digest }),
    } as const;
    const id = await programImage(new Engine(client, version), program, {
      pull: "missing",
      stallTimeoutMs: 1_000,
    });
    return { id, request: request! };
  } finally {
    client.close();
  }
}

it("fetches what the engine lacks, as anybody when nobody has logged in", async () => {
  const { id, request } = await pull([{ status: "Status: Downloaded newer image" }]);
  expect(id).toBe(ID);
  expect(request.url).toContain("fromImage=box.example%2Fa&tag=1");
  expect(Buffer.from(String(request.headers["x-registry-auth"]), "base64").toString()).toBe("{}");
});

it("tells denied, absent and broken apart, though engines say it in words only", async () => {
  const denied =
    "pull access denied for box.example/a, repository does not exist or may require 'docker login'";
  await expect(pull([{ error: denied }])).rejects.toMatchObject({
    code: "IMAGE_PULL_DENIED",
    hint: expect.stringContaining("docker login box.example"),
  });
  await expect(pull([{ message: "manifest unknown" }], { status: 404 })).rejects.toMatchObject({
    code: "IMAGE_NOT_FOUND",
  });
  await expect(pull([{ error: "dial tcp: lookup box.example: no such host" }])).rejects.toMatchObject({
    code: "IMAGE_PULL_FAILED",
    message: expect.stringContaining("no such host"),
  });
});

it("refuses another image than the one that is meant", async () => {
  const digest = `sha256:${"2".repeat(64)}`;
  await expect(pull([], { digest })).rejects.toMatchObject({ code: "IMAGE_MISMATCH", facts: { found: ID } });
});

it("does not wait for ever for an engine that hangs before it says anything", async () => {
  const answers: Record<string, Answer> = {
    "/images/create": () => undefined,
    "/images/": (_asked, response) => response.writeHead(404).end('{"message":"No such image"}'),
  };
  await using fake = await FakeEngine.start({ answers });
  const host = { kind: "socket", path: fake.socket } as const;
  const { client, version } = await connectEngine([{ source: "test", name: fake.socket, host }]);
  const program = { kind: "image", ref: "box.example/a:1" } as const;
  const pulled = programImage(new Engine(client, version), program, { pull: "missing", stallTimeoutMs: 200 });
  await expect(pulled).rejects.toMatchObject({ code: "ENGINE_STALLED" });
  client.close();
});
