import type { AttemptErrorKind, Datatype } from "@clipper-serving/spec";
import { DATATYPE_WIDTH, DATATYPES } from "@clipper-serving/spec";

/** The numbers of docs/architecture/wire.md. */

export const RPC_VERSION = 4;

/** Bounds of a frame's length field, which counts what follows it. */
export const MIN_FRAME_LENGTH = 12;
export const MAX_FRAME_LENGTH = 67_108_864;

export const LENGTH_BYTES = 4;
/** Length, type, flags, header length, id: where the header begins. */
export const HEAD_BYTES = 16;
/** An item without fields and parts. */
export const ITEM_HEAD_BYTES = 24;
/** A part without shape, name and data. */
export const PART_HEAD_BYTES = 8;
export const COUNT_BYTES = 8;

export const MAX_ITEMS = 65_536;
export const MAX_DIMENSIONS = 8;
export const MAX_REMAINING_MICROS = 2_147_483_647;
export const MAX_TEXT_BYTES = 4096;
/** Of request-id, trace and replica. */
export const MAX_LABEL_BYTES = 128;
/** Of model and version. */
export const MAX_NAME_BYTES = 63;
export const NONCE_BYTES = 32;
export const PROOF_BYTES = 32;
export const INCARNATION_BYTES = 16;

export const MAGIC = Uint8Array.of(0x43, 0x4c, 0x50, 0x34);
export const MAY_IGNORE = 1;

export const FRAME_TYPE = {
  HELLO: 1,
  CHALLENGE: 2,
  PROOF: 3,
  WELCOME: 4,
  REJECT: 5,
  BEAT: 6,
  PING: 7,
  PONG: 8,
  CANCEL: 9,
  PEERS: 10,
  DRAIN: 11,
  RECYCLE: 12,
  PREDICT: 16,
  RESULT: 17,
} as const;

export const TAG = {
  magic: 1,
  versionMin: 2,
  versionMax: 3,
  role: 4,
  model: 5,
  version: 6,
  replica: 7,
  incarnation: 8,
  bundleDigest: 9,
  features: 10,
  inputType: 11,
  nonce: 12,
  proof: 13,
  epoch: 14,
  maxFrame: 15,
  reason: 16,
  text: 17,
  age: 18,
  queueDepth: 19,
  address: 20,
  queue: 21,
  service: 22,
  batchSize: 23,
  maxBatch: 24,
  requestId: 32,
  trace: 33,
  errorText: 34,
} as const;

/** One more than the largest tag. */
export const TAGS = 35;

export const ROLES = ["data", "control", "peer"] as const;

export const STATUS = { ok: 0, error: 1, chunk: 2 } as const;

/** Error kind 1 is the first. */
export const ERROR_KINDS: readonly AttemptErrorKind[] = [
  "model_error",
  "bad_output",
  "bad_input",
  "cancelled",
  "expired",
];

/** By datatype number; 0 is none. */
export const DATATYPE_BY_NUMBER: readonly (Datatype | undefined)[] = [undefined, ...DATATYPES];
export const WIDTH_BY_NUMBER: readonly number[] = [0, ...DATATYPES.map((name) => DATATYPE_WIDTH[name])];
export const NUMBER_BY_DATATYPE: Readonly<Record<Datatype, number>> = Object.fromEntries(
  DATATYPES.map((name, index) => [name, index + 1]),
) as Record<Datatype, number>;

/** @returns `length`, rounded up to a multiple of 8 */
export function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** Elements of a shape; exact wherever it matters, because the shape is refused when it is more than a frame's length. */
export function elementsOf(shape: readonly number[]): number {
  let product = 1;
  for (const extent of shape) product *= extent;
  return product;
}
