import { DATATYPES, type Datatype, type Payload, type PayloadPart } from "@clipper-serving/spec";
import { isSameBytes } from "./payloads.js";
import { type Slab, UNIT_BYTES, unitsFor } from "./slab.js";

/*
 * A payload in a slab is its parts one behind the other, each from a whole unit on: four words (datatype, dimensions, length of the name, bytes of
 * data), the dimensions as doubles, the name in UTF-16, the data. How many parts there are, whoever keeps it remembers.
 */

const HEAD_UNITS = 2;
const HALVES_PER_UNIT = 4;
const WORDS_PER_UNIT = 2;
const DATATYPE_NUMBERS = Object.fromEntries(
  DATATYPES.map((datatype, number) => [datatype, number]),
) as Record<Datatype, number>;

export function payloadUnits({ parts }: Payload): number {
  let units = 0;
  for (const { name, shape, data } of parts) units += partUnits(shape.length, name.length, data.byteLength);
  return units;
}

/** @returns where it ends */
export function writePayload(slab: Slab, place: number, { parts }: Payload): number {
  let at = place;
  for (const { name, datatype, shape, data } of parts) {
    const word = at * WORDS_PER_UNIT;
    slab.words[word] = DATATYPE_NUMBERS[datatype];
    slab.words[word + 1] = shape.length;
    slab.words[word + 2] = name.length;
    slab.words[word + 3] = data.byteLength;
    at += HEAD_UNITS;
    for (const extent of shape) slab.doubles[at++] = extent;
    const half = at * HALVES_PER_UNIT;
    for (let i = 0; i < name.length; i++) slab.halves[half + i] = name.charCodeAt(i);
    at += nameUnits(name.length);
    slab.bytes.set(data, at * UNIT_BYTES);
    at += unitsFor(data.byteLength);
  }
  return at;
}

/** Whether the payload of `count` parts kept at `place` is this one, to the byte. */
export function isPayloadAt(slab: Slab, place: number, count: number, { parts }: Payload): boolean {
  if (parts.length !== count) return false;
  let at = place;
  for (const part of parts) {
    if (!isPartAt(slab, at, part)) return false;
    at += partUnits(part.shape.length, part.name.length, part.data.byteLength);
  }
  return true;
}

/** The payload of `count` parts kept at `place`, in memory of its own. */
export function readPayload(slab: Slab, place: number, count: number): Payload {
  const parts: PayloadPart[] = [];
  let at = place;
  for (let index = 0; index < count; index++) {
    const word = at * WORDS_PER_UNIT;
    const datatype = DATATYPES[slab.words[word]!]!;
    const dimensions = slab.words[word + 1]!;
    const nameLength = slab.words[word + 2]!;
    const bytes = slab.words[word + 3]!;
    at += HEAD_UNITS;
    const shape = Array.from(slab.doubles.subarray(at, at + dimensions));
    at += dimensions;
    const half = at * HALVES_PER_UNIT;
    const name = String.fromCharCode(...slab.halves.subarray(half, half + nameLength));
    at += nameUnits(nameLength);
    const byte = at * UNIT_BYTES;
    parts.push({ name, datatype, shape, data: slab.bytes.slice(byte, byte + bytes) });
    at += unitsFor(bytes);
  }
  return { parts };
}

function isPartAt(slab: Slab, place: number, { name, datatype, shape, data }: PayloadPart): boolean {
  const word = place * WORDS_PER_UNIT;
  if (
    slab.words[word] !== DATATYPE_NUMBERS[datatype] ||
    slab.words[word + 1] !== shape.length ||
    slab.words[word + 2] !== name.length ||
    slab.words[word + 3] !== data.byteLength
  ) {
    return false;
  }
  let at = place + HEAD_UNITS;
  for (const extent of shape) if (slab.doubles[at++] !== extent) return false;
  const half = at * HALVES_PER_UNIT;
  for (let i = 0; i < name.length; i++) if (slab.halves[half + i] !== name.charCodeAt(i)) return false;
  at += nameUnits(name.length);
  return isSameBytes(data, slab.bytes, at * UNIT_BYTES);
}

function partUnits(dimensions: number, nameLength: number, bytes: number): number {
  return HEAD_UNITS + dimensions + nameUnits(nameLength) + unitsFor(bytes);
}

function nameUnits(length: number): number {
  return Math.ceil(length / HALVES_PER_UNIT);
}
