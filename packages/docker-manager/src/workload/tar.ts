const BLOCK_BYTES = 512;
const NAME_BYTES = 100;

/** Something to unpack into a container, with its owner. */
export interface TarEntry {
  /** Without a leading `/`. */
  readonly path: string;
  readonly kind: "file" | "directory";
  readonly mode: number;
  readonly owner: number;
  readonly bytes?: Uint8Array;
}

/** A tar of a few small entries: ustar, with a pax header where a path is long or not ASCII. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const bytes = entry.bytes ?? new Uint8Array();
    const isPlain = entry.path.length < NAME_BYTES && /^[\x20-\x7e]*$/.test(entry.path);
    return [
      ...(isPlain ? [] : extended(entry)),
      header(
        { ...entry, path: isPlain ? entry.path : "long" },
        bytes.length,
        entry.kind === "file" ? "0" : "5",
      ),
      bytes,
      padding(bytes.length),
    ];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

/** The first file of a tar that the engine made. */
export function firstFileOf(archive: Buffer): Buffer | undefined {
  for (let at = 0; at + BLOCK_BYTES <= archive.length; ) {
    const head = archive.subarray(at, at + BLOCK_BYTES);
    const size = Number.parseInt(head.toString("latin1", 124, 136), 8);
    const flag = head.toString("latin1", 156, 157);
    if (Number.isNaN(size)) return undefined;
    if (flag === "0" || flag === "\0") return archive.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + size);
    at += BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return undefined;
}

/** Where the link points that is a tar's first entry, as it was written. */
export function linkTargetOf(archive: Buffer): string | undefined {
  const isLink = archive.toString("latin1", 156, 157) === "2";
  return isLink ? archive.toString("utf8", 157, 257).replace(/\0.*$/s, "") : undefined;
}

function extended(entry: TarEntry): Uint8Array[] {
  const rest = ` path=${entry.path}\n`;
  const restBytes = Buffer.byteLength(rest);
  // The record begins with its own length, those digits included.
  let length = restBytes;
  while (length !== restBytes + String(length).length) length = restBytes + String(length).length;
  const record = Buffer.from(`${length}${rest}`);
  return [header({ ...entry, path: "PaxHeader" }, record.length, "x"), record, padding(record.length)];
}

function header({ path, mode, owner }: TarEntry, bytes: number, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  block.write(path, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(owner, 7), 108);
  block.write(octal(owner, 7), 116);
  block.write(octal(bytes, 11), 124);
  block.write(octal(0, 11), 136);
  block.write("        ", 148);
  block.write(flag, 156);
  block.write("ustar\u000000", 257);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
}
