import type { JsonLimits } from "./json-limits.js";
import { PredictBodyError } from "./predict-body-error.js";

/** Up to here a loop is done before a native search has begun. */
const SHORT = 512;
const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** How many members the objects of a JSON text have. */
export interface Members {
  readonly topLevel: number;
  readonly all: number;
}

/**
 * Looks at the structure of a JSON text before it is parsed: `JSON.parse` would take any depth and any number of keys.
 * Most texts have few brackets and colons altogether, which native searches find out quickly.
 * @returns the members; undefined where every colon is a member of the outermost object or stands in a string, which the keys parsed tell apart
 * @throws PredictBodyError `TOO_DEEP`, `TOO_MANY_KEYS`
 */
export function checkStructure(body: Buffer, limits: JsonLimits): { colons: number; members?: Members } {
  const { colons, opened } = body.length <= SHORT ? countShort(body) : countLong(body, limits);
  if (colons <= limits.maxKeys && opened <= limits.maxDepth) return { colons };
  return { colons, members: scanMembers(body, limits) };
}

/** Reads every byte, minding strings. @throws PredictBodyError `TOO_DEEP`, `TOO_MANY_KEYS` */
export function scanMembers(body: Buffer, limits: JsonLimits): Members {
  let depth = 0;
  let topLevel = 0;
  let all = 0;
  for (let at = 0; at < body.length; at += 1) {
    switch (body[at]) {
      case QUOTE:
        at = endOfString(body, at);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth += 1;
        if (depth > limits.maxDepth) {
          throw new PredictBodyError("TOO_DEEP", `the body nests deeper than ${limits.maxDepth}`, {
            offset: at,
            limit: limits.maxDepth,
          });
        }
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
      case COLON:
        all += 1;
        if (depth === 1) topLevel += 1;
        if (all > limits.maxKeys) {
          throw new PredictBodyError("TOO_MANY_KEYS", `the body has more than ${limits.maxKeys} keys`, {
            offset: at,
            limit: limits.maxKeys,
          });
        }
        break;
    }
  }
  return { topLevel, all };
}

/** @returns the place of the quote that ends the string begun at `start`, or the end of the text */
function endOfString(body: Buffer, start: number): number {
  let end = body.indexOf(QUOTE, start + 1);
  while (end >= 0) {
    let backslashes = 0;
    while (body[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = body.indexOf(QUOTE, end + 1);
  }
  return body.length;
}

function countShort(body: Buffer): { colons: number; opened: number } {
  let colons = 0;
  let opened = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === COLON) colons += 1;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) opened += 1;
  }
  return { colons, opened };
}

/** No further than the limits. */
function countLong(body: Buffer, { maxKeys, maxDepth }: JsonLimits): { colons: number; opened: number } {
  const colons = countUpTo(body, COLON, maxKeys + 1);
  const opened = countUpTo(body, OPEN_ARRAY, maxDepth + 1) + countUpTo(body, OPEN_OBJECT, maxDepth + 1);
  return { colons, opened };
}

function countUpTo(body: Buffer, byte: number, most: number): number {
  let count = 0;
  for (let at = body.indexOf(byte); at >= 0 && count < most; at = body.indexOf(byte, at + 1)) count += 1;
  return count;
}
