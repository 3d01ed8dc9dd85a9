import type { Attempt } from "@clipper-serving/spec";
import { InvalidArgumentError } from "@clipper-serving/spec";
import type { FrameBuffer } from "./frame-buffer.js";
import type { ResultItem } from "./frames.js";
import { type Measure, PayloadWriter } from "./payload-writer.js";
import { encodeText } from "./text.js";
import {
  COUNT_BYTES,
  ERROR_KINDS,
  ITEM_HEAD_BYTES,
  MAX_ITEMS,
  MAX_LABEL_BYTES,
  MAX_REMAINING_MICROS,
  MAX_TEXT_BYTES,
  padded,
  STATUS,
  TAG,
} from "./wire-format.js";

const FIELD_HEAD_BYTES = 4;
const NO_FIELDS = new Uint8Array();

/** Writes the bodies of PREDICT and RESULT. Each item is measured, then written: what the first learnt the second uses. */
export class ItemsWriter {
  readonly #payloads = new PayloadWriter();
  #itemBytes: number[] = [];
  #itemFields: Uint8Array[] = [];

  /** @throws InvalidArgumentError when the wire cannot carry an item */
  measurePredict(items: readonly Attempt[]): Measure {
    const body = this.#begin(items.length);
    for (const { requestId, trace, input } of items) {
      this.#measureItem(body, attemptFields(requestId, trace), input);
    }
    return body;
  }

  writePredict(items: readonly Attempt[], buffer: FrameBuffer): void {
    writeCount(items.length, buffer);
    for (let index = 0; index < items.length; index++) {
      const { id, remainingMicros, input } = items[index]!;
      this.#writeHead(buffer, index, STATUS.ok, 0, id, remaining(remainingMicros), input.parts.length);
      this.#payloads.write(input, buffer);
    }
  }

  /** @throws InvalidArgumentError when the wire cannot carry an item */
  measureResult(items: readonly ResultItem[]): Measure {
    const body = this.#begin(items.length);
    for (const item of items) {
      if (item.status === "error") this.#measureItem(body, errorFields(item.message), undefined);
      else this.#measureItem(body, NO_FIELDS, item.output);
    }
    return body;
  }

  writeResult(items: readonly ResultItem[], buffer: FrameBuffer): void {
    writeCount(items.length, buffer);
    for (let index = 0; index < items.length; index++) {
      const item = items[index]!;
      if (item.status === "error") {
        this.#writeHead(buffer, index, STATUS.error, ERROR_KINDS.indexOf(item.kind) + 1, item.id, 0, 0);
      } else {
        this.#writeHead(buffer, index, STATUS[item.status], 0, item.id, 0, item.output.parts.length);
        this.#payloads.write(item.output, buffer);
      }
    }
  }

  #begin(count: number): Measure {
    if (count === 0 || count > MAX_ITEMS) {
      throw new InvalidArgumentError({
        argument: "items",
        value: count,
        expected: `1 to ${MAX_ITEMS} items`,
      });
    }
    this.#itemBytes = [];
    this.#itemFields = [];
    return { total: COUNT_BYTES, copied: COUNT_BYTES };
  }

  #measureItem(body: Measure, fields: Uint8Array, payload: Attempt["input"] | undefined): void {
    const before = body.total;
    const head = ITEM_HEAD_BYTES + padded(fields.byteLength);
    body.total += head;
    body.copied += head;
    if (payload !== undefined) this.#payloads.measure(payload, body);
    this.#itemBytes.push(body.total - before);
    this.#itemFields.push(fields);
  }

  #writeHead(
    buffer: FrameBuffer,
    index: number,
    status: number,
    kind: number,
    id: number,
    remainingMicros: number,
    parts: number,
  ): void {
    const fields = this.#itemFields[index]!;
    buffer.u32(this.#itemBytes[index]!);
    buffer.u8(status);
    buffer.u8(kind);
    buffer.u16(fields.byteLength);
    buffer.u64(checkId(id));
    buffer.u32(remainingMicros);
    buffer.u16(parts);
    buffer.u16(0);
    if (fields.byteLength === 0) return;
    buffer.copy(fields);
    buffer.pad(fields.byteLength);
  }
}

export function checkId(id: number): number {
  if (Number.isSafeInteger(id) && id >= 0) return id;
  throw new InvalidArgumentError({ argument: "id", value: id, expected: "a whole number from 0 below 2^53" });
}

function writeCount(count: number, buffer: FrameBuffer): void {
  buffer.u32(count);
  buffer.u32(0);
}

/** A deadline that has passed leaves 0; one further away than the wire can say leaves the most it can. */
function remaining(micros: number): number {
  return Math.max(0, Math.min(MAX_REMAINING_MICROS, Math.floor(micros)));
}

function attemptFields(requestId: string | undefined, trace: string | undefined): Uint8Array {
  if (requestId === undefined && trace === undefined) return NO_FIELDS;
  return joinFields(
    TAG.requestId,
    encodeText(requestId ?? "", MAX_LABEL_BYTES),
    TAG.trace,
    encodeText(trace ?? "", MAX_LABEL_BYTES),
  );
}

function errorFields(message: string): Uint8Array {
  return joinFields(TAG.errorText, encodeText(message, MAX_TEXT_BYTES), 0, NO_FIELDS);
}

/** Empty fields are left out. */
function joinFields(tagA: number, valueA: Uint8Array, tagB: number, valueB: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(fieldBytes(valueA) + fieldBytes(valueB));
  putField(bytes, 0, tagA, valueA);
  putField(bytes, fieldBytes(valueA), tagB, valueB);
  return bytes;
}

function fieldBytes(value: Uint8Array): number {
  return value.byteLength === 0 ? 0 : FIELD_HEAD_BYTES + value.byteLength;
}

function putField(bytes: Uint8Array, offset: number, tag: number, value: Uint8Array): void {
  if (value.byteLength === 0) return;
  bytes[offset] = tag;
  bytes[offset + 2] = value.byteLength & 0xff;
  bytes[offset + 3] = value.byteLength >> 8;
  bytes.set(value, offset + FIELD_HEAD_BYTES);
}
