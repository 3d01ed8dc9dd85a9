import type { Attempt, Payload } from "@clipper-serving/spec";
import type { ByteSource } from "./byte-source.js";
import { FieldTable, type ListedTags, listTags } from "./field-table.js";
import type { ResultItem } from "./frames.js";
import { malformed } from "./malformed.js";
import { PayloadReader } from "./payload-reader.js";
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

const PREDICT_ITEM_TAGS = listTags(TAG.requestId, TAG.trace);
const RESULT_ITEM_TAGS = listTags(TAG.errorText);

/** Reads the bodies of PREDICT and RESULT. */
export class ItemsReader {
  readonly #fields = new FieldTable();
  readonly #payloads = new PayloadReader();

  predictItems(source: ByteSource, start: number, end: number): Attempt[] {
    const items: Attempt[] = [];
    const count = readCount(source, start, end);
    let offset = start + COUNT_BYTES;
    for (let index = 0; index < count; index++) {
      const itemEnd = endOfItem(source, offset, end);
      items.push(this.#predictItem(source, offset, itemEnd));
      offset = itemEnd;
    }
    checkEnd(offset, end);
    return items;
  }

  resultItems(source: ByteSource, start: number, end: number): ResultItem[] {
    const items: ResultItem[] = [];
    const count = readCount(source, start, end);
    let offset = start + COUNT_BYTES;
    for (let index = 0; index < count; index++) {
      const itemEnd = endOfItem(source, offset, end);
      items.push(this.#resultItem(source, offset, itemEnd));
      offset = itemEnd;
    }
    checkEnd(offset, end);
    return items;
  }

  #predictItem(source: ByteSource, offset: number, end: number): Attempt {
    if (source.u16(offset + 4) !== 0) throw malformed("an item of a PREDICT has a status or an error kind");
    const remainingMicros = source.u32(offset + 16);
    if (remainingMicros > MAX_REMAINING_MICROS)
      throw malformed("an item's remaining time is 2^31 µs or more");
    const id = source.u64(offset + 8, "an item's id");
    const partsStart = this.#scanFields(source, offset, end, PREDICT_ITEM_TAGS);
    const input = this.#parts(source, offset, partsStart, end);
    if (partsStart === offset + ITEM_HEAD_BYTES) return { id, input, remainingMicros };
    const requestId = this.#fields.optionalText(TAG.requestId, "request-id", MAX_LABEL_BYTES);
    const trace = this.#fields.optionalText(TAG.trace, "trace", MAX_LABEL_BYTES);
    return {
      id,
      input,
      remainingMicros,
      ...(requestId === "" ? undefined : { requestId }),
      ...(trace === "" ? undefined : { trace }),
    };
  }

  #resultItem(source: ByteSource, offset: number, end: number): ResultItem {
    const status = source.bytes[offset + 4]!;
    const kind = source.bytes[offset + 5]!;
    if (source.u32(offset + 16) !== 0) throw malformed("an item of a RESULT has remaining time");
    const id = source.u64(offset + 8, "an item's id");
    const partsStart = this.#scanFields(source, offset, end, RESULT_ITEM_TAGS);
    const output = this.#parts(source, offset, partsStart, end);
    if (status === STATUS.error)
      return this.#errorItem(id, kind, output, partsStart > offset + ITEM_HEAD_BYTES);
    if (kind !== 0) throw malformed("an item that is no error has an error kind", { kind });
    if (status === STATUS.ok) return { id, status: "ok", output };
    if (status === STATUS.chunk) return { id, status: "chunk", output };
    throw malformed(`there is no item status ${status}`, { status });
  }

  #errorItem(id: number, number: number, output: Payload, hasFields: boolean): ResultItem {
    const kind = ERROR_KINDS[number - 1];
    if (kind === undefined) throw malformed(`there is no error kind ${number}`, { kind: number });
    if (output.parts.length > 0) throw malformed("an item that is an error has parts");
    const message = hasFields ? this.#fields.optionalText(TAG.errorText, "error-text", MAX_TEXT_BYTES) : "";
    return { id, status: "error", kind, message };
  }

  /** @returns where the parts begin; after the item's head when it has no fields */
  #scanFields(source: ByteSource, offset: number, end: number, listed: ListedTags): number {
    const length = source.u16(offset + 6);
    const start = offset + ITEM_HEAD_BYTES;
    if (length === 0) return start;
    if (padded(length) > end - start) throw malformed("an item's fields end after it", { length });
    this.#fields.scan(source, start, start + length, listed);
    return start + padded(length);
  }

  #parts(source: ByteSource, offset: number, partsStart: number, end: number): Payload {
    if (source.u16(offset + 22) !== 0) throw malformed("an item's zero is not zero");
    return this.#payloads.read(source, partsStart, end, source.u16(offset + 20));
  }
}

function readCount(source: ByteSource, start: number, end: number): number {
  if (end - start < COUNT_BYTES) throw malformed("a body ends before its count");
  const count = source.u32(start);
  if (count === 0 || count > MAX_ITEMS) throw malformed(`a body counts ${count} items`, { count });
  if (source.u32(start + 4) !== 0) throw malformed("a body's zero is not zero");
  if (count * ITEM_HEAD_BYTES > end - start - COUNT_BYTES) {
    throw malformed(`${count} items do not fit into their frame`, { count });
  }
  return count;
}

function endOfItem(source: ByteSource, offset: number, end: number): number {
  if (ITEM_HEAD_BYTES > end - offset) throw malformed("an item begins after its frame");
  const length = source.u32(offset);
  if (length < ITEM_HEAD_BYTES || length % 8 !== 0) {
    throw malformed(`an item's length is ${length}`, { length });
  }
  if (length > end - offset) throw malformed("an item ends after its frame", { length });
  return offset + length;
}

function checkEnd(offset: number, end: number): void {
  if (offset !== end) throw malformed("a frame goes on after its last item", { bytes: end - offset });
}
