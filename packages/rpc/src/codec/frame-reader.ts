import { parseInputType } from "@clipper-serving/spec";
import type { ByteSource } from "./byte-source.js";
import { FieldTable, listTags } from "./field-table.js";
import type { ConnectionRole, Frame, FrameType, HelloFrame } from "./frames.js";
import { ItemsReader } from "./items-reader.js";
import { malformed } from "./malformed.js";
import {
  COUNT_BYTES,
  FRAME_TYPE,
  HEAD_BYTES,
  INCARNATION_BYTES,
  MAGIC,
  MAX_LABEL_BYTES,
  MAX_NAME_BYTES,
  MAX_TEXT_BYTES,
  MAY_IGNORE,
  NONCE_BYTES,
  PROOF_BYTES,
  padded,
  ROLES,
  TAG,
} from "./wire-format.js";

/** The largest text a field's length can say. */
const ANY_LENGTH = 0xffff;
const BUNDLE_DIGEST = /^(sha256:[0-9a-f]{64})?$/;

const LISTED: Readonly<Record<FrameType, Uint8Array>> = {
  HELLO: listTags(
    TAG.magic,
    TAG.versionMin,
    TAG.versionMax,
    TAG.role,
    TAG.model,
    TAG.version,
    TAG.inputType,
    TAG.replica,
    TAG.incarnation,
    TAG.bundleDigest,
    TAG.features,
    TAG.maxBatch,
  ),
  CHALLENGE: listTags(TAG.nonce),
  PROOF: listTags(TAG.proof),
  WELCOME: listTags(TAG.versionMax, TAG.epoch, TAG.maxFrame),
  REJECT: listTags(TAG.reason, TAG.text),
  BEAT: listTags(TAG.age, TAG.queueDepth),
  PING: listTags(),
  PONG: listTags(),
  CANCEL: listTags(),
  PEERS: listTags(TAG.address),
  DRAIN: listTags(TAG.text),
  RECYCLE: listTags(TAG.text),
  PREDICT: listTags(),
  RESULT: listTags(TAG.queue, TAG.service, TAG.batchSize),
};

const TYPE_BY_NUMBER: readonly (FrameType | undefined)[] = Array.from({ length: 18 }, (_, number) =>
  (Object.keys(FRAME_TYPE) as FrameType[]).find((type) => FRAME_TYPE[type] === number),
);

/** Reads whole frames, one at a time. */
export class FrameReader {
  readonly #fields = new FieldTable();
  readonly #items = new ItemsReader();

  /**
   * @param start where the frame's length field is
   * @param end where the frame ends; its length was checked
   * @returns undefined for a frame of an unknown type that may be ignored
   */
  read(source: ByteSource, start: number, end: number): Frame | undefined {
    const flags = source.bytes[start + 5]!;
    const mayIgnore = (flags & MAY_IGNORE) !== 0;
    const headerStart = start + HEAD_BYTES;
    const headerEnd = headerStart + source.u16(start + 6);
    if (headerEnd > end) throw malformed("a header ends after its frame");
    const id = source.u64(start + 8, "a frame's id");
    const number = source.bytes[start + 4]!;
    const type = TYPE_BY_NUMBER[number];
    if (type === undefined) {
      if (mayIgnore) return undefined;
      throw malformed(`there is no frame type ${number}`, { type: number });
    }
    this.#fields.scan(source, headerStart, headerEnd, LISTED[type]);
    const bodyStart = start + padded(headerEnd - start);
    switch (type) {
      case "PREDICT":
        return { type, id, mayIgnore, items: this.#items.predictItems(source, bodyStart, end) };
      case "RESULT":
        return {
          type,
          id,
          mayIgnore,
          queueMicros: this.#fields.u64(TAG.queue, "queue"),
          serviceMicros: this.#fields.u64(TAG.service, "service"),
          batchSize: this.#fields.u32(TAG.batchSize, "batch-size"),
          items: this.#items.resultItems(source, bodyStart, end),
        };
      case "CANCEL":
        return { type, id, mayIgnore, ids: readIds(source, bodyStart, end) };
      default:
        if (headerEnd !== end) throw malformed(`a ${type} has a body`, { bytes: end - headerEnd });
        return this.#bodiless(type, id, mayIgnore);
    }
  }

  #bodiless(
    type: Exclude<FrameType, "PREDICT" | "RESULT" | "CANCEL">,
    id: number,
    mayIgnore: boolean,
  ): Frame {
    const fields = this.#fields;
    switch (type) {
      case "HELLO":
        return this.#hello(id, mayIgnore);
      case "CHALLENGE":
        return { type, id, mayIgnore, nonce: fields.bytes(TAG.nonce, "nonce", NONCE_BYTES) };
      case "PROOF":
        return { type, id, mayIgnore, proof: fields.bytes(TAG.proof, "proof", PROOF_BYTES) };
      case "WELCOME":
        return {
          type,
          id,
          mayIgnore,
          version: fields.u16(TAG.versionMax, "version-max"),
          epoch: fields.u64(TAG.epoch, "epoch"),
          maxFrameBytes: fields.u32(TAG.maxFrame, "max-frame"),
        };
      case "REJECT":
        return {
          type,
          id,
          mayIgnore,
          reason: fields.text(TAG.reason, "reason", 0, ANY_LENGTH),
          text: fields.optionalText(TAG.text, "text", MAX_TEXT_BYTES),
        };
      case "BEAT":
        return {
          type,
          id,
          mayIgnore,
          ageMicros: fields.u64(TAG.age, "age"),
          queueDepth: fields.optionalU32(TAG.queueDepth, "queue-depth"),
        };
      case "PEERS":
        return { type, id, mayIgnore, addresses: fields.addresses };
      case "DRAIN":
      case "RECYCLE":
        return { type, id, mayIgnore, text: fields.optionalText(TAG.text, "text", MAX_TEXT_BYTES) };
      case "PING":
      case "PONG":
        return { type, id, mayIgnore };
    }
  }

  #hello(id: number, mayIgnore: boolean): HelloFrame {
    const fields = this.#fields;
    const magic = fields.bytes(TAG.magic, "magic", MAGIC.length);
    if (!magic.every((byte, index) => byte === MAGIC[index])) throw malformed("the magic is not CLP4");
    const inputTypeName = fields.text(TAG.inputType, "input-type", 0, ANY_LENGTH);
    const inputType = parseInputType(inputTypeName);
    // The aliases of input types are for people; on the wire there is one name for each.
    if (inputType !== inputTypeName) throw malformed("input-type is none of the five");
    const bundleDigest = fields.optionalText(TAG.bundleDigest, "bundle-digest", ANY_LENGTH);
    if (!BUNDLE_DIGEST.test(bundleDigest)) throw malformed("bundle-digest is not sha256: and 64 hex digits");
    return {
      type: "HELLO",
      id,
      mayIgnore,
      versionMin: fields.u16(TAG.versionMin, "version-min"),
      versionMax: fields.u16(TAG.versionMax, "version-max"),
      role: this.#role(),
      model: fields.text(TAG.model, "model", 1, MAX_NAME_BYTES),
      version: fields.text(TAG.version, "version", 1, MAX_NAME_BYTES),
      inputType,
      replicaId: fields.text(TAG.replica, "replica", 1, MAX_LABEL_BYTES),
      incarnation: Buffer.from(fields.bytes(TAG.incarnation, "incarnation", INCARNATION_BYTES)).toString(
        "hex",
      ),
      bundleDigest,
      features: fields.optionalU32(TAG.features, "features"),
      maxBatchSize: fields.optionalU32(TAG.maxBatch, "max-batch"),
    };
  }

  #role(): ConnectionRole {
    const number = this.#fields.u8(TAG.role, "role");
    const role = ROLES[number - 1];
    if (role === undefined) throw malformed(`there is no role ${number}`, { role: number });
    return role;
  }
}

function readIds(source: ByteSource, start: number, end: number): number[] {
  if (end - start < COUNT_BYTES) throw malformed("a body ends before its count");
  const count = source.u32(start);
  if (source.u32(start + 4) !== 0) throw malformed("a body's zero is not zero");
  if (count * 8 !== end - start - COUNT_BYTES) throw malformed("a CANCEL's count and ids differ", { count });
  const ids: number[] = [];
  for (let offset = start + COUNT_BYTES; offset < end; offset += 8) {
    ids.push(source.u64(offset, "an item's id"));
  }
  return ids;
}
