import { malformed } from "./malformed.js";

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const NOTHING = new Uint8Array();

/** Above this a call into the platform is cheaper than a loop over characters. */
const SHORT = 48;

/** @throws ProtocolError when the bytes are not UTF-8 */
export function decodeText(bytes: Uint8Array, start: number, end: number, what: string): string {
  if (end - start <= SHORT) {
    const text = decodeShortAscii(bytes, start, end);
    if (text !== undefined) return text;
  }
  try {
    return strictDecoder.decode(bytes.subarray(start, end));
  } catch {
    // The platform's TypeError says no more than this.
    throw malformed(`${what} is not UTF-8`);
  }
}

function decodeShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** @returns UTF-8, cut before the first character that does not fit into `maxBytes`; a lone surrogate becomes U+FFFD */
export function encodeText(text: string, maxBytes: number): Uint8Array {
  if (text === "") return NOTHING;
  const bytes = encoder.encode(text.length > maxBytes ? text.slice(0, maxBytes) : text);
  if (bytes.byteLength <= maxBytes) return bytes;
  let end = maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
