import type { Payload, PayloadPart } from "@clipper-serving/spec";
import { InvalidArgumentError } from "@clipper-serving/spec";
import { elementsProblem } from "./bytes-elements.js";
import { type FrameBuffer, isReferred } from "./frame-buffer.js";
import { encodeText } from "./text.js";
import {
  elementsOf,
  MAX_DIMENSIONS,
  NUMBER_BY_DATATYPE,
  PART_HEAD_BYTES,
  padded,
  WIDTH_BY_NUMBER,
} from "./wire-format.js";

const MAX_U16 = 0xffff;
const MAX_U32 = 0xffff_ffff;

/** Bytes of something to be written: all of it, and what of that is copied rather than referred to. */
export interface Measure {
  total: number;
  copied: number;
}

/** Writes payloads. Nearly every part of a connection has the same name, so the last name written is kept. */
export class PayloadWriter {
  #lastName = "";
  #lastNameBytes = encodeText("", 0);

  /** Adds a payload's bytes to `measure`. @throws InvalidArgumentError when the wire cannot carry it */
  measure(payload: Payload, measure: Measure): void {
    if (payload.parts.length > MAX_U16) throw unfit("payload", `of ${payload.parts.length} parts`);
    for (const part of payload.parts) {
      checkPart(part);
      const head = padded(PART_HEAD_BYTES + 4 * part.shape.length + this.#nameBytes(part.name).byteLength);
      const data = part.data.byteLength;
      measure.total += head + padded(data);
      measure.copied += head + padded(data) - (isReferred(data) ? data : 0);
    }
  }

  write(payload: Payload, buffer: FrameBuffer): void {
    for (const { name, datatype, shape, data } of payload.parts) {
      const nameBytes = this.#nameBytes(name);
      buffer.u8(NUMBER_BY_DATATYPE[datatype]);
      buffer.u8(shape.length);
      buffer.u16(nameBytes.byteLength);
      buffer.u32(data.byteLength);
      for (const extent of shape) buffer.u32(extent);
      buffer.copy(nameBytes);
      buffer.pad(PART_HEAD_BYTES + 4 * shape.length + nameBytes.byteLength);
      if (isReferred(data.byteLength)) buffer.refer(data);
      else buffer.copy(data);
      buffer.pad(data.byteLength);
    }
  }

  #nameBytes(name: string): Uint8Array {
    if (name !== this.#lastName) {
      this.#lastNameBytes = encodeText(name, MAX_U16);
      this.#lastName = name;
    }
    return this.#lastNameBytes;
  }
}

/** A replica would close the connection over such a part, and with it lose everybody's batch. */
function checkPart({ datatype, shape, data }: PayloadPart): void {
  const number = NUMBER_BY_DATATYPE[datatype];
  if (number === undefined) throw unfit("datatype", String(datatype));
  if (shape.length > MAX_DIMENSIONS) throw unfit("payload part", `of ${shape.length} dimensions`);
  for (const extent of shape) {
    if (!(Number.isInteger(extent) && extent >= 0 && extent <= MAX_U32)) {
      throw unfit("payload part", `with a dimension of ${extent}`);
    }
  }
  const width = WIDTH_BY_NUMBER[number]!;
  if (width > 0) {
    if (elementsOf(shape) * width !== data.byteLength) {
      throw unfit("payload part", `of shape [${shape}] and ${data.byteLength} bytes of ${datatype}`);
    }
  } else if (shape.length > 0) {
    if (datatype === "JSON") throw unfit("payload part", `of JSON and shape [${shape}]`);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const problem = elementsProblem(view, elementsOf(shape), 0, data.byteLength);
    if (problem !== undefined) throw unfit("payload part", `of BYTES that ${problem}`);
  }
}

function unfit(argument: string, value: string): InvalidArgumentError {
  return new InvalidArgumentError({ argument, value, expected: "what RPC 4 can carry" });
}
