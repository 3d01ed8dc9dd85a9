import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import util from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Answer, FakeEngine } from "../test-support/fake-engine.js";
import { Containers } from "./containers.js";
import { chunksOf, EngineClient } from "./engine-client.js";
import { Images } from "./images.js";

describe("EngineClient", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("does not have each request formatted for a log, with all that hangs on it", async () => {
    await using fake = await FakeEngine.start();
    const client = new EngineClient({ kind: "socket", path: fake.socket });
    const formatted = vi.spyOn(util, "inspect");
    const { signal } = new AbortController();
    await Promise.all(
      Array.from({ length: 20 }, () => client.json({ method: "GET", path: "/version", signal })),
    );
    client.close();
    const lengths = formatted.mock.results.map(({ value }) => String(value).length);
    expect(lengths).toHaveLength(20);
    expect(Math.max(...lengths)).toBeLessThan(500);
  });

  it("uses a connection again after it asked in vain whether a path is there", async () => {
    await using fake = await FakeEngine.start({
      answers: {
        "/containers": (_request, response) => response.writeHead(404, { "content-length": 2 }).end("{}"),
      },
    });
    const client = new EngineClient({ kind: "socket", path: fake.socket });
    for (let asked = 0; asked < 5; asked += 1) {
      expect(await new Containers(client).stat("a", "/none")).toBeUndefined();
    }
    expect(fake.connections).toBe(1);
    client.close();
  });

  it("closes the files of an upload that is called off, or that the engine does not take", async () => {
    const directory = mkdtempSync(join(tmpdir(), "upload-"));
    const file = join(directory, "layer.tar");
    writeFileSync(file, Buffer.alloc(8 << 20));
    const stop = new AbortController();
    const answers: Record<string, Answer> = {
      "/refuse": (_request, response) => response.writeHead(500).end("{}"),
      "/hang": (request) => void request.once("data", () => stop.abort()),
    };
    await using fake = await FakeEngine.start({ answers });
    const client = new EngineClient({ kind: "socket", path: fake.socket });
    for (const path of ["/refuse", "/hang"]) {
      const upload = createReadStream(file);
      const sent = client.done({ method: "PUT", path, upload, signal: stop.signal });
      await expect(sent).rejects.toThrow();
      await expect(finished(upload)).rejects.toThrow();
      expect(upload.destroyed).toBe(true);
    }
    client.close();
    rmSync(directory, { recursive: true });
  });

  it("says so when an answer that goes on and on ends early", async () => {
    await using fake = await FakeEngine.start({
      answers: { "/events": (_request, response) => void response.write("{", () => response.destroy()) },
    });
    const client = new EngineClient({ kind: "socket", path: fake.socket });
    const read = async (): Promise<void> => {
      const answer = await client.stream({ method: "GET", path: "/events" });
      for await (const _chunk of chunksOf(answer, { request: "GET /events" }));
    };
    await expect(read()).rejects.toMatchObject({ code: "ENGINE_BROKEN_STREAM" });
    client.close();
  });

  it("asks for an image under the whole of what was given as its name", async () => {
    await using fake = await FakeEngine.start();
    const client = new EngineClient({ kind: "socket", path: fake.socket });
    const images = new Images(client);
    for (const ref of ["a name", "a?all=1", "a#b", "r.example:5000/a/b:1@sha256:0"]) {
      expect(await images.inspect(ref)).toBeUndefined();
    }
    expect(fake.requests).toEqual([
      "/images/a%20name/json?",
      "/images/a%3Fall=1/json?",
      "/images/a%23b/json?",
      "/images/r.example:5000/a/b:1@sha256:0/json?",
    ]);
    client.close();
  });
});
