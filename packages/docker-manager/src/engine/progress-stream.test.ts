import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { FakeEngine } from "../test-support/fake-engine.js";
import { EngineClient } from "./engine-client.js";
import { type EngineProgress, readProgress } from "./progress-stream.js";

/** As an engine wrote it, with the end of line it used. */
const PULL = [
  { status: "Pulling from library/démo", id: "latest" },
  { status: "Downloading", progressDetail: { current: 10, total: 20 }, progress: "[==>  ]", id: "a1b2" },
  { status: "Status: Downloaded newer image for démo:latest" },
]
  .map((line) => `${JSON.stringify(line)}\r\n`)
  .join("");

async function read(
  answer: (response: ServerResponse) => void,
  { stallTimeoutMs = 5_000, signal }: { stallTimeoutMs?: number; signal?: AbortSignal } = {},
): Promise<EngineProgress[]> {
  await using engine = await FakeEngine.start({
    answers: { "/x": (_request, response) => answer(response) },
  });
  const client = new EngineClient({ kind: "socket", path: engine.socket });
  const lines: EngineProgress[] = [];
  try {
    const stream = await client.stream({ method: "POST", path: "/x", signal });
    const onLine = (line: EngineProgress) => void lines.push(line);
    await readProgress(stream, { request: "pull démo", stallTimeoutMs, signal, onLine });
    return lines;
  } finally {
    client.close();
  }
}

describe("what an engine says while it works", () => {
  it("is the same in whatever pieces it comes", async () => {
    const bytes = Buffer.from(PULL);
    for (const size of [1, 2, 3, 7, 50, bytes.length]) {
      const lines = await read(async (response) => {
        for (let at = 0; at < bytes.length; at += size) {
          response.write(bytes.subarray(at, at + size));
          await new Promise(setImmediate);
        }
        response.end();
      });
      expect(lines.map(({ status }) => status)).toEqual([
        "Pulling from library/démo",
        "Downloading",
        "Status: Downloaded newer image for démo:latest",
      ]);
    }
  });

  it("a line that says error rejects, although the answer was 200", async () => {
    const line = { errorDetail: { message: "manifest unknown" }, error: "manifest unknown" };
    await expect(read((response) => response.end(PULL + JSON.stringify(line)))).rejects.toMatchObject({
      code: "ENGINE_REFUSED",
      facts: { answer: "manifest unknown" },
    });
    const full = { error: "write /var/lib/docker/x: no space left on device" };
    await expect(read((response) => response.end(JSON.stringify(full)))).rejects.toMatchObject({
      code: "ENGINE_DISK_FULL",
      hint: expect.stringContaining("prune"),
    });
  });

  it("an early end rejects", async () => {
    const cut = read((response) => {
      response.write(PULL.slice(0, 100), () => response.destroy());
    });
    await expect(cut).rejects.toMatchObject({ code: "ENGINE_BROKEN_STREAM" });
  });

  it("a last line that is cut rejects", async () => {
    await expect(read((response) => response.end('{"status":"Extr'))).rejects.toMatchObject({
      code: "ENGINE_BROKEN_STREAM",
    });
  });

  it("a stall rejects", async () => {
    const stalled = read((response) => response.write(PULL), { stallTimeoutMs: 50 });
    await expect(stalled).rejects.toMatchObject({ code: "ENGINE_STALLED", facts: { timeoutMs: 50 } });
  });

  it("an abort rejects with its reason", async () => {
    const stop = new AbortController();
    const reason = new TypeError("enough");
    const aborted = read(
      (response) => {
        response.write(PULL, () => stop.abort(reason));
      },
      { signal: stop.signal },
    );
    await expect(aborted).rejects.toBe(reason);
  });
});

describe("an engine's answer", () => {
  async function ask(answer: (response: ServerResponse) => void, answerTimeoutMs?: number): Promise<unknown> {
    await using engine = await FakeEngine.start({
      answers: { "/x": (_request, response) => answer(response) },
    });
    const client = new EngineClient({ kind: "socket", path: engine.socket });
    try {
      const timeout = answerTimeoutMs === undefined ? {} : { answerTimeoutMs };
      return await client.json({ method: "POST", path: "/x", ...timeout });
    } finally {
      client.close();
    }
  }

  it("is an error with the engine's words when its status is one", async () => {
    const refused = ask((response) => response.writeHead(409).end('{"message":"name in use"}'));
    await expect(refused).rejects.toMatchObject({
      code: "ENGINE_REFUSED",
      status: 409,
      facts: { answer: "name in use" },
    });
  });

  it("that ends early, or is something else, rejects", async () => {
    const expected = { code: "ENGINE_BROKEN_STREAM" };
    const cut = ask((response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write('{"a":', () => response.destroy());
    });
    await expect(cut).rejects.toMatchObject(expected);
    await expect(ask((response) => response.end("<html>"))).rejects.toMatchObject(expected);
  });

  it("that never begins rejects after its time", async () => {
    await expect(ask(() => undefined, 50)).rejects.toMatchObject({ code: "ENGINE_STALLED" });
  });
});
