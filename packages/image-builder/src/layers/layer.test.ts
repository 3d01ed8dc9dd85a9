import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sha256Of } from "../image-config.js";
import { JsonCache } from "../json-cache.js";
import { bytesOf } from "../test-support/untar.js";
import { createLayer, type KnownLayer } from "./layer.js";
import { type LayerEntry, textFile } from "./layer-entry.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "layer-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("is known by the digest of its bytes, and gives them more than once", async () => {
  const layer = await createLayer({ purpose: "function", entries: [textFile("a/b", "text")] });
  const bytes = await bytesOf(layer.open());
  expect(layer).toMatchObject({ diffId: sha256Of(bytes), bytes: bytes.length });
  expect(await bytesOf(layer.open())).toEqual(bytes);
});

it("is hashed once for a key, also by the next process", async () => {
  const request = (text: string) => ({
    purpose: "environment",
    entries: [textFile("a", text)],
    cached: { cache: new JsonCache<KnownLayer>(directory), key: "key" },
  });
  const first = await createLayer(request("one"));
  expect((await createLayer(request("one"))).diffId).toBe(first.diffId);
  // Whoever gives the key of other bytes is told so before the last byte is out.
  const wrong = await createLayer(request("two"));
  expect(wrong.diffId).toBe(first.diffId);
  await expect(bytesOf(wrong.open())).rejects.toMatchObject({ code: "LAYER_CHANGED" });
});

it("rejects when a file keeps its size and changes its content", async () => {
  const file = path.join(directory, "file");
  writeFileSync(file, "1234");
  const entry: LayerEntry = { kind: "file", path: "file", mode: 0o644, source: { file, bytes: 4 } };
  const layer = await createLayer({ purpose: "modules", entries: [entry] });
  writeFileSync(file, "4321");
  await expect(bytesOf(layer.open())).rejects.toMatchObject({
    code: "LAYER_CHANGED",
    facts: { purpose: "modules" },
  });
});

it("ends hashing when the caller gives up", async () => {
  const signal = AbortSignal.abort(new DOMException("enough", "AbortError"));
  await expect(createLayer({ purpose: "x", entries: [textFile("a", "")] }, { signal })).rejects.toThrow(
    "enough",
  );
});
