import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, type Header } from "tar-stream";

/** What one layer has, by path without a leading `/`: a file's size, a link's target, a directory, or a mark that something is gone. */
export interface LayerListing {
  readonly entries: Readonly<Record<string, ListedEntry>>;
  /** base64, of those small files that somebody wanted. */
  readonly contents: Readonly<Record<string, string>>;
}

export type ListedEntry = number | { readonly link: string } | "directory" | "removed" | "emptied";

/** Contents of larger files are not kept. */
export const LARGEST_CONTENT: number = 1 << 16;
const REMOVED_PREFIX = ".wh.";
const EMPTIED = ".wh..wh..opq";

/**
 * Lists a layer by reading it once.
 * @param blob the layer as it is kept: a tar, compressed or not
 */
export async function listLayer(
  blob: AsyncIterable<Uint8Array>,
  mediaType: string,
  wanted: ReadonlySet<string>,
): Promise<LayerListing> {
  const entries: Record<string, ListedEntry> = {};
  const contents: Record<string, string> = {};
  const untar = extract();
  const reading = pipeline(Readable.from(blob), decompressor(mediaType), untar);
  // Reading the entries meets the same error.
  reading.catch(() => {});
  for await (const entry of untar) {
    const path = normalised(entry.header.name);
    const [at, listed] = listedAs(path, entry.header);
    // That what lies below is hidden, the directory's own entry does not take back.
    if (listed !== "directory" || entries[at] !== "emptied") entries[at] = listed;
    if (typeof listed === "number" && listed <= LARGEST_CONTENT && wanted.has(at)) {
      contents[at] = (await contentOf(entry)).toString("base64");
    } else {
      entry.resume();
    }
  }
  await reading;
  return { entries, contents };
}

function listedAs(path: string, header: Header): [string, ListedEntry] {
  const slash = path.lastIndexOf("/") + 1;
  const [directory, name] = [path.slice(0, slash), path.slice(slash)];
  if (name === EMPTIED) return [directory.slice(0, -1), "emptied"];
  if (name.startsWith(REMOVED_PREFIX)) return [directory + name.slice(REMOVED_PREFIX.length), "removed"];
  if (header.type === "symlink") return [path, { link: header.linkname ?? "" }];
  // A second name of a file in the same layer.
  if (header.type === "link") return [path, { link: `/${normalised(header.linkname ?? "")}` }];
  return [path, header.type === "file" ? (header.size ?? 0) : "directory"];
}

async function contentOf(entry: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of entry) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function decompressor(mediaType: string): NodeJS.ReadWriteStream {
  if (/gzip$/.test(mediaType)) return createGunzip();
  return /zstd$/.test(mediaType) ? createZstdDecompress() : new PassThrough();
}

function normalised(name: string): string {
  return name.replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
}
