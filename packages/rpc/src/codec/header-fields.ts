import { InvalidArgumentError } from "@clipper-serving/spec";
import type { Frame, HelloFrame } from "./frames.js";
import { checkId } from "./items-writer.js";
import { encodeText } from "./text.js";
import {
  INCARNATION_BYTES,
  MAGIC,
  MAX_LABEL_BYTES,
  MAX_NAME_BYTES,
  MAX_TEXT_BYTES,
  NONCE_BYTES,
  PROOF_BYTES,
  ROLES,
  TAG,
} from "./wire-format.js";

const MAX_HEADER_BYTES = 0xffff;

type HeaderFrame = Exclude<Frame, { type: "PREDICT" | "RESULT" }>;

/** @returns the header of a frame that is not on the hot path, its fields in the order of the Types table */
export function headerFields(frame: HeaderFrame): Uint8Array {
  const header = Buffer.concat(fieldsOf(frame));
  if (header.byteLength > MAX_HEADER_BYTES) {
    throw new InvalidArgumentError({
      argument: `a ${frame.type} frame's header`,
      value: header.byteLength,
      expected: `at most ${MAX_HEADER_BYTES} bytes`,
    });
  }
  return header;
}

function fieldsOf(frame: HeaderFrame): Uint8Array[] {
  switch (frame.type) {
    case "HELLO":
      return helloFields(frame);
    case "CHALLENGE":
      return [exact(TAG.nonce, frame.nonce, NONCE_BYTES, "nonce")];
    case "PROOF":
      return [exact(TAG.proof, frame.proof, PROOF_BYTES, "proof")];
    case "WELCOME":
      return [
        integer(TAG.versionMax, frame.version, 2),
        integer(TAG.epoch, checkId(frame.epoch), 8),
        integer(TAG.maxFrame, frame.maxFrameBytes, 4),
      ];
    case "REJECT":
      return [text(TAG.reason, frame.reason, MAX_NAME_BYTES), text(TAG.text, frame.text, MAX_TEXT_BYTES)];
    case "BEAT":
      return [integer(TAG.age, checkId(frame.ageMicros), 8), integer(TAG.queueDepth, frame.queueDepth, 4)];
    case "PEERS":
      return frame.addresses.map((address) => text(TAG.address, address, MAX_HEADER_BYTES - 4));
    case "DRAIN":
    case "RECYCLE":
      return [text(TAG.text, frame.text, MAX_TEXT_BYTES)];
    case "PING":
    case "PONG":
    case "CANCEL":
      return [];
  }
}

function helloFields(frame: HelloFrame): Uint8Array[] {
  return [
    field(TAG.magic, MAGIC),
    integer(TAG.versionMin, frame.versionMin, 2),
    integer(TAG.versionMax, frame.versionMax, 2),
    integer(TAG.role, ROLES.indexOf(frame.role) + 1, 1),
    name(TAG.model, frame.model, MAX_NAME_BYTES, "model"),
    name(TAG.version, frame.version, MAX_NAME_BYTES, "version"),
    text(TAG.inputType, frame.inputType, MAX_NAME_BYTES),
    name(TAG.replica, frame.replicaId, MAX_LABEL_BYTES, "replicaId"),
    exact(TAG.incarnation, Buffer.from(frame.incarnation, "hex"), INCARNATION_BYTES, "incarnation"),
    text(TAG.bundleDigest, frame.bundleDigest, MAX_LABEL_BYTES),
    integer(TAG.features, frame.features, 4),
    integer(TAG.maxBatch, frame.maxBatchSize, 4),
  ];
}

function field(tag: number, value: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4 + value.byteLength);
  bytes.writeUInt16LE(tag, 0);
  bytes.writeUInt16LE(value.byteLength, 2);
  bytes.set(value, 4);
  return bytes;
}

function integer(tag: number, value: number, width: 1 | 2 | 4 | 8): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return field(tag, bytes.subarray(0, width));
}

/** For people: cut where it is too long. */
function text(tag: number, value: string, maxBytes: number): Uint8Array {
  return field(tag, encodeText(value, maxBytes));
}

/** Cutting a name would make it another's. */
function name(tag: number, value: string, maxBytes: number, argument: string): Uint8Array {
  const bytes = encodeText(value, maxBytes + 1);
  if (bytes.byteLength === 0 || Buffer.byteLength(value) > maxBytes) {
    throw new InvalidArgumentError({ argument, value, expected: `1 to ${maxBytes} bytes of UTF-8` });
  }
  return field(tag, bytes);
}

function exact(tag: number, value: Uint8Array, length: number, argument: string): Uint8Array {
  if (value.byteLength !== length) {
    throw new InvalidArgumentError({ argument, value: value.byteLength, expected: `${length} bytes` });
  }
  return field(tag, value);
}
