import type { Payload, PayloadPart } from "@clipper-serving/spec";

/** Whether two payloads are the same to the byte, names and shapes included. */
export function isSamePayload(a: Payload, b: Payload): boolean {
  if (a === b) return true;
  if (a.parts.length !== b.parts.length) return false;
  for (let i = 0; i < a.parts.length; i++) {
    if (!isSamePart(a.parts[i]!, b.parts[i]!)) return false;
  }
  return true;
}

function isSamePart(a: PayloadPart, b: PayloadPart): boolean {
  if (a.name !== b.name || a.datatype !== b.datatype || a.shape.length !== b.shape.length) return false;
  for (let i = 0; i < a.shape.length; i++) if (a.shape[i] !== b.shape[i]) return false;
  return isSameBytes(a.data, b.data);
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  // A call into the runtime costs more than comparing a few bytes here.
  if (a.byteLength > 128) return Buffer.compare(a, b) === 0;
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The same payload in memory of its own: a view would keep the whole frame or request body it was cut from. */
export function withOwnMemory(payload: Payload): Payload {
  if (payload.parts.every(({ data }) => data.byteLength === data.buffer.byteLength)) return payload;
  return {
    parts: payload.parts.map(({ name, datatype, shape, data }) => ({
      name,
      datatype,
      shape,
      data: Uint8Array.from(data),
    })),
  };
}

/** What a payload takes in memory, about: its bytes and the objects around them. */
export function memoryBytes(payload: Payload): number {
  let bytes = PAYLOAD_OVERHEAD;
  for (const part of payload.parts) {
    bytes += PART_OVERHEAD + part.data.byteLength + 8 * part.shape.length + part.name.length;
  }
  return bytes;
}

const PAYLOAD_OVERHEAD = 64;
const PART_OVERHEAD = 240;
