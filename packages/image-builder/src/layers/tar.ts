import { createReadStream } from "node:fs";
import { ImageError } from "../image-error.js";
import type { LayerEntry, LayerFile } from "./layer-entry.js";
import { tarEnd, tarHeader, tarPadding } from "./tar-header.js";

const READ_BYTES = 1 << 18;
const GATHER_BYTES = 1 << 16;

/**
 * The tar of entries that are in order. Equal entries give equal bytes. Files are read as the tar is read, a piece at a time.
 * @throws ImageError `LAYER_CHANGED` when a file no longer has the size that was told
 */
export async function* tarOf(entries: Iterable<LayerEntry>): AsyncGenerator<Uint8Array> {
  // Thousands of small files: whoever reads this gets them in pieces worth a system call.
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  for await (const chunk of tarPieces(entries)) {
    gathered.push(chunk);
    gatheredBytes += chunk.length;
    if (gatheredBytes < GATHER_BYTES) continue;
    yield Buffer.concat(gathered, gatheredBytes);
    gathered = [];
    gatheredBytes = 0;
  }
  yield Buffer.concat(gathered, gatheredBytes);
}

async function* tarPieces(entries: Iterable<LayerEntry>): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const bytes = entry.kind === "file" ? sizeOf(entry) : 0;
    yield tarHeader(entry, bytes);
    if (entry.kind !== "file") continue;
    if (entry.source instanceof Uint8Array) yield entry.source;
    else yield* wholeFile(entry.path, entry.source);
    yield tarPadding(bytes);
  }
  yield tarEnd();
}

async function* wholeFile(
  path: string,
  source: { readonly file: string; readonly bytes: number },
): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of createReadStream(source.file, { highWaterMark: READ_BYTES })) {
    read += (chunk as Uint8Array).length;
    if (read > source.bytes) break;
    yield chunk as Uint8Array;
  }
  if (read === source.bytes) return;
  throw new ImageError({
    code: "LAYER_CHANGED",
    message: `${path} is no longer ${source.bytes} bytes long: it changed while an image was made of it`,
    hint: "leave environments and bundles alone while they are deployed, and deploy again",
    facts: { path, bytes: source.bytes },
  });
}

function sizeOf({ source }: LayerFile): number {
  return source instanceof Uint8Array ? source.length : source.bytes;
}
