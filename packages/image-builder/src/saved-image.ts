import { createReadStream, createWriteStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { type CallOptions, type ImageLayer, InvalidArgumentError } from "@clipper-serving/spec";
import { extract } from "tar-stream";

/** An image as it is, to be put somewhere else unchanged. */
export interface SavedImage {
  /** Byte for byte, so that the image keeps its digest. */
  readonly config: Uint8Array;
  /** Lowest first. */
  readonly layers: readonly ImageLayer[];
}

interface SavedManifest {
  readonly Config: string;
  readonly Layers: readonly string[];
}

interface SavedConfig {
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly history?: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[];
}

/** Layers lie in an engine as they came: one that keeps images in containerd gives them out so. */
const COMPRESSIONS = [
  { magic: Buffer.from([0x1f, 0x8b]), decompress: createGunzip },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), decompress: createZstdDecompress },
] as const;
const LONGEST_MAGIC = 4;

/**
 * Unpacks what `docker save` writes of one image. Its parts lie in `directory` from then on, which is the caller's to remove once the
 * layers are read.
 */
export async function readSavedImage(
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  { signal }: CallOptions = {},
): Promise<SavedImage> {
  const files = await unpack(archive, directory, signal);
  const fileOf = (name: string): string => {
    const file = files.get(name);
    if (file !== undefined) return file;
    throw new InvalidArgumentError({
      argument: "archive",
      value: name,
      expected: "an image as `docker save` writes it, with all it names",
    });
  };
  const [image, ...others] = JSON.parse(await readFile(fileOf("manifest.json"), "utf8")) as SavedManifest[];
  if (image === undefined || others.length > 0) {
    throw new InvalidArgumentError({ argument: "archive", value: others.length, expected: "one image" });
  }
  const config = await readFile(fileOf(image.Config));
  const { rootfs, history = [] } = JSON.parse(config.toString("utf8")) as SavedConfig;
  const steps = history.filter(({ empty_layer: isEmpty }) => isEmpty !== true);
  const layers = image.Layers.map((name, index) =>
    savedLayer(fileOf(name), {
      purpose: /^clipper (\w+)$/.exec(steps[index]?.created_by ?? "")?.[1] ?? "base",
      diffId: rootfs.diff_ids[index] ?? "",
    }),
  );
  return { config, layers: await Promise.all(layers) };
}

/** @returns where each entry's content lies, by its name; the names themselves make no path */
async function unpack(
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const links = new Map<string, string>();
  const untar = extract();
  const reading = pipeline(Readable.from(archive), untar, { signal });
  // Reading the entries meets the same error.
  reading.catch(() => {});
  for await (const entry of untar) {
    const { name, type, linkname = "" } = entry.header;
    if (type === "file") {
      const file = path.join(directory, String(files.size));
      await pipeline(entry, createWriteStream(file, { mode: 0o600 }));
      files.set(name, file);
    } else {
      // A layer that the image has twice is written once.
      if (type === "symlink") links.set(name, path.posix.join(path.posix.dirname(name), linkname));
      if (type === "link") links.set(name, linkname);
      entry.resume();
    }
  }
  await reading;
  for (const [name, target] of links) {
    const file = files.get(target);
    if (file !== undefined) files.set(name, file);
  }
  return files;
}

async function savedLayer(
  file: string,
  { purpose, diffId }: Pick<ImageLayer, "purpose" | "diffId">,
): Promise<ImageLayer> {
  const { size: bytes } = await stat(file);
  const start = await startOf(file);
  const compression = COMPRESSIONS.find(({ magic }) => start.subarray(0, magic.length).equals(magic));
  return {
    purpose,
    diffId,
    bytes,
    open: () =>
      compression === undefined ? createReadStream(file) : decompressed(file, compression.decompress()),
  };
}

async function startOf(file: string): Promise<Buffer> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(LONGEST_MAGIC), 0, LONGEST_MAGIC, 0);
  return buffer.subarray(0, bytesRead);
}

async function* decompressed(file: string, decompress: Duplex): AsyncGenerator<Uint8Array> {
  const reading = pipeline(createReadStream(file), decompress);
  // Reading what comes out meets the same error.
  reading.catch(() => {});
  yield* decompress;
}
