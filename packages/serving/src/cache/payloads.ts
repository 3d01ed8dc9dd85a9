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
  return a.data.byteLength === b.data.byteLength && isSameBytes(a.data, b.data, 0);
}

/** Whether `a` is what `b` holds from `offset` on. */
export function isSameBytes(a: Uint8Array, b: Uint8Array, offset: number): boolean {
  const { byteLength } = a;
  // A call into the runtime costs more than comparing a few bytes here.
  if (byteLength > 128) return Buffer.compare(a, b.subarray(offset, offset + byteLength)) === 0;
  for (let i = 0; i < byteLength; i++) if (a[i] !== b[offset + i]) return false;
  return true;
}
