/**
 * Words: a *payload* is what travels to a model or back: named parts, each a typed array of bytes.
 * Bytes are never re-encoded on the way: what the edge parsed is what the replica's function sees.
 */

/** Open Inference datatype names, and `JSON` for a UTF-8 JSON text. */
export const DATATYPES = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "FP32",
  "FP64",
  "BYTES",
  "JSON",
] as const;

export type Datatype = (typeof DATATYPES)[number];

/** Bytes of one element, little-endian; 0 where elements vary in length. */
export const DATATYPE_WIDTH: Readonly<Record<Datatype, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
  JSON: 0,
};

export interface PayloadPart {
  /** `input` and `output` for Clipper's one-part payloads. */
  readonly name: string;
  readonly datatype: Datatype;
  /** Elements per dimension, at most 8 dimensions. `[]` is one element; for BYTES that element is `data` as it stands. */
  readonly shape: readonly number[];
  /** Little-endian elements. For a fixed-width datatype its length is the product of `shape` times the width. */
  readonly data: Uint8Array;
}

export interface Payload {
  readonly parts: readonly PayloadPart[];
}

/** Bytes of data a payload holds, without names and shapes: what queues and caches are bounded by. */
export function payloadBytes(payload: Payload): number {
  let bytes = 0;
  for (const part of payload.parts) bytes += part.data.byteLength;
  return bytes;
}
