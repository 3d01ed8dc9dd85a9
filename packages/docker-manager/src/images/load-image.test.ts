import type { ImageLayer, ImagePlan } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { EngineConnection } from "../engine-connection.js";
import { type Answer, FakeEngine } from "../test-support/fake-engine.js";
import { EngineImageSink } from "./engine-image-sink.js";

const LAYER: ImageLayer = {
  purpose: "function",
  diffId: `sha256:${"a".repeat(64)}`,
  bytes: 8 << 20,
  open: async function* () {
    for (let sent = 0; sent < 8; sent += 1) yield new Uint8Array(1 << 20);
  },
};

function plan(): ImagePlan {
  const config = { env: {}, entrypoint: [], command: [], workingDirectory: "/", user: "", labels: {} };
  const base = { ref: "scratch", platform: "linux/amd64", diffIds: [], config };
  return { base, layers: [LAYER], config, tags: ["clipper/digits:1"] };
}

/** Puts an image into an engine that has none and does this with what it is sent. */
async function put(load: Answer, signal?: AbortSignal): Promise<unknown> {
  await using fake = await FakeEngine.start({
    answers: {
      "/images/load": load,
      "/images/json": (_request, response) => response.end("[]"),
      "/info": (_request, response) => response.end("{}"),
    },
  });
  const connection = new EngineConnection({ source: "test", host: `unix://${fake.socket}` });
  const connect = () => connection.get();
  try {
    const sink = new EngineImageSink({ connect, pull: "never", stallTimeoutMs: 300 });
    return await sink.put(plan(), signal === undefined ? {} : { signal });
  } finally {
    await connection.close();
  }
}

it("rejects when the engine stops taking bytes, or stops talking", async () => {
  await expect(put(() => undefined)).rejects.toMatchObject({ code: "ENGINE_STALLED" });
  const silent = put((request, response) =>
    request.resume().on("end", () => response.write('{"stream":"…"}\n')),
  );
  await expect(silent).rejects.toMatchObject({ code: "ENGINE_STALLED" });
});

it("rejects when the engine says error after 200, ends early, or has no image afterwards", async () => {
  const answering = (end: (response: Parameters<Answer>[1]) => void) =>
    put((request, response) => request.resume().on("end", () => end(response)));
  await expect(answering((response) => response.end('{"error":"invalid diffID"}\n'))).rejects.toMatchObject({
    code: "IMAGE_LOAD_FAILED",
    message: expect.stringContaining("invalid diffID"),
  });
  await expect(answering((response) => response.write("{", () => response.destroy()))).rejects.toMatchObject({
    code: "ENGINE_BROKEN_STREAM",
  });
  await expect(answering((response) => response.end('{"stream":"Loaded"}\n'))).rejects.toMatchObject({
    code: "IMAGE_LOAD_FAILED",
    message: expect.stringContaining("does not have it"),
  });
});

it("rejects with the signal's reason when it is called off", async () => {
  const stop = new AbortController();
  const reason = new TypeError("enough");
  const called = put((request) => void request.once("data", () => stop.abort(reason)), stop.signal);
  await expect(called).rejects.toBe(reason);
});

describe("an engine that takes no single layers", () => {
  /** Unpacks layers in an engine that does this with the first. @returns what became of the container it is unpacked into */
  async function unpack(
    archive: Answer,
    signal?: AbortSignal,
  ): Promise<{ error: unknown; isRemoved: boolean }> {
    let isRemoved = false;
    await using fake = await FakeEngine.start({
      answers: {
        "/containers/create": (_request, response) => response.writeHead(201).end('{"Id":"a"}'),
        "/containers/a/archive": archive,
        "/containers/a": ({ method }, response) => {
          isRemoved ||= method === "DELETE";
          response.writeHead(204).end();
        },
      },
    });
    const connection = new EngineConnection({ source: "test", host: `unix://${fake.socket}` });
    const connect = () => connection.get();
    const sink = new EngineImageSink({ connect, pull: "never", stallTimeoutMs: 300, way: "commit" });
    const error = await sink.put(plan(), signal === undefined ? {} : { signal }).catch((thrown) => thrown);
    await expect.poll(() => isRemoved).toBe(true);
    await connection.close();
    return { error, isRemoved };
  }

  it("is given up when it stops taking bytes", async () => {
    expect(await unpack(() => undefined)).toMatchObject({ error: { code: "ENGINE_STALLED" } });
  });

  it("is sent no more when the call is called off, and keeps nothing of it", async () => {
    const stop = new AbortController();
    const reason = new TypeError("enough");
    let isCut = false;
    const called = await unpack((request) => {
      request.on("close", () => {
        isCut = !request.complete;
      });
      stop.abort(reason);
    }, stop.signal);
    expect(called).toEqual({ error: reason, isRemoved: true });
    await expect.poll(() => isCut).toBe(true);
  });
});
