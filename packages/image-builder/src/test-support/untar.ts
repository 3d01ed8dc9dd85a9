import { Readable } from "node:stream";
import { extract, type Header } from "tar-stream";

export interface TarFile {
  readonly header: Header;
  readonly text: string;
}

/** All of a tar, by path, in its order. */
export async function untar(tar: AsyncIterable<Uint8Array>): Promise<Map<string, TarFile>> {
  const files = new Map<string, TarFile>();
  const reader = extract();
  Readable.from(tar)
    .on("error", (error) => reader.destroy(error))
    .pipe(reader as unknown as NodeJS.WritableStream);
  for await (const entry of reader) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    files.set(entry.header.name.replace(/\/$/, ""), {
      header: entry.header,
      text: Buffer.concat(parts).toString("latin1"),
    });
  }
  return files;
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
