import type { LayerEntry } from "./layer-entry.js";

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const LARGEST_SIZE = 8 ** 11 - 1;
const TYPE_FLAGS = { file: "0", link: "2", directory: "5", extended: "x" } as const;

/**
 * The header of one entry: ustar, with a pax header before it where a name is too long or not ASCII, or a file too large. Written here
 * and not by a library, because digests of images that exist depend on each byte.
 * @param bytes size of the file; 0 for all else
 */
export function tarHeader(entry: LayerEntry, bytes: number): Uint8Array {
  const path = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const target = entry.kind === "link" ? entry.target : "";
  const name = splitName(path);
  const extended: Record<string, string> = {
    ...(name === undefined ? { path } : {}),
    ...(fits(target, NAME_BYTES) ? {} : { linkpath: target }),
    ...(bytes > LARGEST_SIZE ? { size: String(bytes) } : {}),
  };
  const header = ustarHeader({
    name: name ?? { name: "long", prefix: "" },
    mode: entry.kind === "link" ? 0o777 : entry.mode,
    bytes: Math.min(bytes, LARGEST_SIZE),
    flag: TYPE_FLAGS[entry.kind],
    target: "linkpath" in extended ? "" : target,
  });
  return Object.keys(extended).length === 0 ? header : Buffer.concat([extendedHeader(extended), header]);
}

/** What fills a file of this size up to the next block. */
export function tarPadding(bytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK_BYTES);
}

interface UstarFields {
  readonly name: { readonly name: string; readonly prefix: string };
  readonly mode: number;
  readonly bytes: number;
  readonly flag: string;
  readonly target: string;
}

/** Owned by 0:0, changed at the epoch. */
function ustarHeader({ name, mode, bytes, flag, target }: UstarFields): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name.name, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(bytes, 11), 124);
  header.write(octal(0, 11), 136);
  header.write("        ", 148);
  header.write(flag, 156);
  header.write(target, 157);
  header.write("ustar\u000000", 257);
  header.write(octal(0, 7), 329);
  header.write(octal(0, 7), 337);
  header.write(name.prefix, 345);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148);
  return header;
}

function extendedHeader(fields: Readonly<Record<string, string>>): Buffer {
  const records = Buffer.from(
    Object.entries(fields)
      .map(([name, value]) => extendedRecord(name, value))
      .join(""),
  );
  const header = ustarHeader({
    name: { name: "PaxHeader", prefix: "" },
    mode: 0o644,
    bytes: records.length,
    flag: TYPE_FLAGS.extended,
    target: "",
  });
  return Buffer.concat([header, records, tarPadding(records.length)]);
}

/** `LENGTH NAME=VALUE\n`, where LENGTH counts itself. */
function extendedRecord(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  let length = restBytes;
  while (length !== restBytes + String(length).length) length = restBytes + String(length).length;
  return `${length}${rest}`;
}

/** A path as ustar's two fields; undefined when it does not fit. */
function splitName(path: string): { name: string; prefix: string } | undefined {
  if (fits(path, NAME_BYTES)) return { name: path, prefix: "" };
  if (!fits(path, NAME_BYTES + PREFIX_BYTES + 1)) return undefined;
  const slash = path.indexOf("/", path.length - NAME_BYTES - 1);
  if (slash <= 0 || slash > PREFIX_BYTES || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

function fits(text: string, bytes: number): boolean {
  return text.length <= bytes && /^[\x20-\x7e]*$/.test(text);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
