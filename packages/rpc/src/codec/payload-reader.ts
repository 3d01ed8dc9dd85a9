import type { Payload, PayloadPart } from "@clipper-serving/spec";
import type { ByteSource } from "./byte-source.js";
import { elementsProblem } from "./bytes-elements.js";
import { malformed } from "./malformed.js";
import { decodeText } from "./text.js";
import {
  DATATYPE_BY_NUMBER,
  elementsOf,
  MAX_DIMENSIONS,
  NUMBER_BY_DATATYPE,
  PART_HEAD_BYTES,
  padded,
  WIDTH_BY_NUMBER,
} from "./wire-format.js";

const JSON_NUMBER = NUMBER_BY_DATATYPE.JSON;

/** Reads payloads. Nearly every part of a connection has the same name, so the last name read is kept. */
export class PayloadReader {
  #lastName = "";
  #lastNameBytes = new Uint8Array();

  /** Reads `count` parts that take all bytes from `start` to `end`. */
  read(source: ByteSource, start: number, end: number, count: number): Payload {
    if (count * PART_HEAD_BYTES > end - start) throw malformed(`${count} parts do not fit into their item`);
    const parts: PayloadPart[] = [];
    let offset = start;
    for (let index = 0; index < count; index++) {
      if (PART_HEAD_BYTES > end - offset) throw malformed("a part begins after its item");
      const dataStart = this.#dataStart(source, offset, end);
      const dataLength = source.u32(offset + 4);
      if (padded(dataLength) > end - dataStart) {
        throw malformed("a part's data end after its item", { dataLength });
      }
      parts.push(this.#part(source, offset, dataStart, dataLength));
      offset = dataStart + padded(dataLength);
    }
    if (offset !== end) throw malformed("an item goes on after its last part", { bytes: end - offset });
    return { parts };
  }

  #dataStart(source: ByteSource, offset: number, end: number): number {
    const dimensions = source.bytes[offset + 1]!;
    if (dimensions > MAX_DIMENSIONS) throw malformed(`a part has ${dimensions} dimensions`, { dimensions });
    const size = padded(PART_HEAD_BYTES + 4 * dimensions + source.u16(offset + 2));
    if (size > end - offset) throw malformed("a part's shape or name ends after its item");
    return offset + size;
  }

  #part(source: ByteSource, offset: number, dataStart: number, dataLength: number): PayloadPart {
    const number = source.bytes[offset]!;
    const datatype = DATATYPE_BY_NUMBER[number];
    if (datatype === undefined) throw malformed(`there is no datatype ${number}`, { datatype: number });
    const shape = readShape(source, offset);
    checkData(source, number, shape, dataStart, dataLength);
    const nameStart = offset + PART_HEAD_BYTES + 4 * shape.length;
    const name = this.#name(source.bytes, nameStart, nameStart + source.u16(offset + 2));
    return { name, datatype, shape, data: source.keep(dataStart, dataStart + dataLength) };
  }

  #name(bytes: Uint8Array, start: number, end: number): string {
    if (!this.#isLastName(bytes, start, end)) {
      this.#lastName = decodeText(bytes, start, end, "a part's name");
      this.#lastNameBytes = bytes.slice(start, end);
    }
    return this.#lastName;
  }

  #isLastName(bytes: Uint8Array, start: number, end: number): boolean {
    const last = this.#lastNameBytes;
    if (end - start !== last.length) return false;
    for (let index = 0; index < last.length; index++) {
      if (bytes[start + index] !== last[index]) return false;
    }
    return true;
  }
}

function readShape(source: ByteSource, offset: number): number[] {
  const dimensions = source.bytes[offset + 1]!;
  const shape: number[] = [];
  for (let index = 0; index < dimensions; index++) {
    shape.push(source.u32(offset + PART_HEAD_BYTES + 4 * index));
  }
  return shape;
}

function checkData(
  source: ByteSource,
  number: number,
  shape: readonly number[],
  start: number,
  length: number,
): void {
  const width = WIDTH_BY_NUMBER[number]!;
  if (width > 0) {
    if (elementsOf(shape) * width !== length) {
      throw malformed("a part's data and shape differ", { shape, length });
    }
  } else if (number === JSON_NUMBER) {
    if (shape.length > 0) throw malformed("a JSON part has dimensions", { shape });
  } else if (shape.length > 0) {
    const problem = elementsProblem(source.view, elementsOf(shape), start, start + length);
    if (problem !== undefined) throw malformed(`a BYTES part ${problem}`);
  }
}
