import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { ImagePlan } from "@clipper-serving/spec";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageConfigBytes } from "./image-config.js";
import { createLayer } from "./layers/layer.js";
import { textFile } from "./layers/layer-entry.js";
import { writeLoadArchive } from "./load-archive.js";
import { readSavedImage } from "./saved-image.js";

const config = { env: {}, entrypoint: [], command: [], workingDirectory: "/", user: "", labels: {} };
const base = { ref: "scratch", platform: "linux/amd64", diffIds: [], config };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "cp-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function planOf(...purposes: string[]): Promise<ImagePlan> {
  const layers = purposes.map((purpose) =>
    createLayer({ purpose, entries: [textFile(purpose, purpose.repeat(1_000))] }),
  );
  return { base, layers: await Promise.all(layers), config, tags: ["clipper/digits:1"] };
}

function archiveOf(entries: Readonly<Record<string, Buffer | { readonly link: string }>>): Readable {
  const archive = pack();
  for (const [name, entry] of Object.entries(entries)) {
    if (Buffer.isBuffer(entry)) archive.entry({ name }, entry);
    else archive.entry({ name, type: "symlink", linkname: entry.link });
  }
  archive.finalize();
  return Readable.from(archive);
}

const read = (archive: AsyncIterable<Uint8Array>) => readSavedImage(archive, directory);
const bytesOf = (layer: { open(): AsyncIterable<Uint8Array> } | undefined) => buffer(layer!.open());

describe("readSavedImage", () => {
  it("has the configuration byte for byte, and each layer as often as it is asked for", async () => {
    const plan = await planOf("environment", "function");
    const all = new Set(plan.layers.map(({ diffId }) => diffId));
    const image = await read(writeLoadArchive(plan, all));
    expect(Buffer.from(image.config)).toEqual(Buffer.from(imageConfigBytes(plan)));
    const facts = ({ purpose, diffId, bytes }: ImagePlan["layers"][number]) => ({ purpose, diffId, bytes });
    expect(image.layers.map(facts)).toEqual(plan.layers.map(facts));
    for (const index of [1, 0, 1]) {
      expect(await bytesOf(image.layers[index])).toEqual(await bytesOf(plan.layers[index]));
    }
  });

  it.each([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])(
    "takes layers compressed by %s, and layers that are written once and named twice",
    async (_name, compress) => {
      const plan = await planOf("twice");
      const [layer] = plan.layers;
      const twice = { ...plan, layers: [layer!, layer!] };
      const manifest = [{ Config: "blobs/config", Layers: ["one/layer.tar", "two/layer.tar"] }];
      const image = await read(
        archiveOf({
          "one/layer.tar": compress(await bytesOf(layer)),
          "two/layer.tar": { link: "../one/layer.tar" },
          "blobs/config": Buffer.from(imageConfigBytes(twice)),
          "manifest.json": Buffer.from(JSON.stringify(manifest)),
        }),
      );
      for (const saved of image.layers) expect(await bytesOf(saved)).toEqual(await bytesOf(layer));
    },
  );

  it("refuses an archive that lacks what it names, holds several images or is cut off", async () => {
    const manifest = (images: object[]) => Buffer.from(JSON.stringify(images));
    const image = { Config: "config", Layers: [] };
    await expect(read(archiveOf({ "manifest.json": manifest([image]) }))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await expect(read(archiveOf({ "manifest.json": manifest([image, image]) }))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    const whole = await buffer(archiveOf({ large: Buffer.alloc(10_000) }));
    await expect(read(Readable.from([whole.subarray(0, 2_000)]))).rejects.toThrow();
  });
});
