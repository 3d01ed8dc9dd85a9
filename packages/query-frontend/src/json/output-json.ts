import { isAscii, isUtf8 } from "node:buffer";

/** Deeper JSON is given as a string: what reads it may be no better at depth than `JSON.stringify`. */
const MAX_DEPTH = 64;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const LONGEST_NUMBER = 64;
const SHORT = 24;

/**
 * A model's output as a JSON text: as it stands where it is JSON, so that numbers keep their digits, else as a JSON string.
 * @returns undefined when the bytes are not UTF-8
 */
export function outputJson(output: Uint8Array): string | undefined {
  const short = shortAscii(output);
  if (short !== undefined) return textJson(short);
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  if (isAscii(bytes)) return textJson(bytes.toString("latin1"));
  return isUtf8(bytes) ? textJson(bytes.toString("utf8")) : undefined;
}

/** Most outputs are a word or a number, for which a Buffer would be a detour. */
function shortAscii(bytes: Uint8Array): string | undefined {
  if (bytes.length > SHORT) return undefined;
  let text = "";
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The same for a text: an application's default output. */
export function textJson(text: string): string {
  const trimmed = trimJson(text);
  switch (trimmed.charCodeAt(0)) {
    case 0x22:
      return isJson(trimmed) ? trimmed : JSON.stringify(text);
    case 0x5b:
    case 0x7b:
      return depthOf(trimmed) <= MAX_DEPTH && isJson(trimmed) ? trimmed : JSON.stringify(text);
    case 0x74:
    case 0x66:
    case 0x6e:
      return trimmed === "true" || trimmed === "false" || trimmed === "null" ? trimmed : JSON.stringify(text);
    default:
      return isFiniteNumber(trimmed) ? trimmed : JSON.stringify(text);
  }
}

/** Without the whitespace that JSON allows around a value, and no other. */
function trimJson(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isFiniteNumber(text: string): boolean {
  const first = text.charCodeAt(0);
  if (first !== 0x2d && !(first >= 0x30 && first <= 0x39)) return false;
  if (!JSON_NUMBER.test(text)) return false;
  return text.length < LONGEST_NUMBER && !/[eE]/.test(text) ? true : Number.isFinite(Number(text));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Not JSON: exactly what was asked.
    return false;
  }
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return deepest;
}
