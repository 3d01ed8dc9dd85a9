import { INPUT_TYPE_DATATYPE, type InputType, type Payload } from "@clipper-serving/spec";
import type { NumberMemory } from "./number-memory.js";
import { PredictBodyError } from "./predict-body-error.js";

/** Makes a payload of one input as JSON.parse gave it, or throws {@link PredictBodyError} naming the place. */
export type InputReader = (input: unknown, pointer: string, memory: NumberMemory) => Payload;

const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;

export const INPUT_READERS: Readonly<Record<InputType, InputReader>> = {
  doubles: (input, pointer, memory) =>
    arrayPayload(
      "doubles",
      numbers(input, pointer, (length) => memory.take(Float64Array, length), checkFinite),
    ),
  floats: (input, pointer, memory) =>
    arrayPayload(
      "floats",
      numbers(input, pointer, (length) => memory.take(Float32Array, length), checkFloat),
    ),
  integers: (input, pointer, memory) =>
    arrayPayload(
      "integers",
      numbers(input, pointer, (length) => memory.take(Int32Array, length), checkInteger),
    ),
  strings: (input, pointer) => bytesPayload("strings", text(input, pointer)),
  bytes: (input, pointer) => bytesPayload("bytes", base64(input, pointer)),
};

function arrayPayload(inputType: InputType, values: Float64Array | Float32Array | Int32Array): Payload {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return {
    parts: [{ name: "input", datatype: INPUT_TYPE_DATATYPE[inputType], shape: [values.length], data }],
  };
}

function bytesPayload(inputType: InputType, data: Uint8Array): Payload {
  return { parts: [{ name: "input", datatype: INPUT_TYPE_DATATYPE[inputType], shape: [], data }] };
}

function numbers<Values extends Float64Array | Float32Array | Int32Array>(
  input: unknown,
  pointer: string,
  take: (length: number) => Values,
  check: (value: number, pointer: string, index: number) => void,
): Values {
  if (!Array.isArray(input)) {
    throw new PredictBodyError("TYPE", `${pointer} is ${kindOf(input)}, and should be an array of numbers`, {
      pointer,
    });
  }
  if (input.length === 0) throw new PredictBodyError("EMPTY_INPUT", `${pointer} is empty`, { pointer });
  const values = take(input.length);
  for (let index = 0; index < input.length; index += 1) {
    const value: unknown = input[index];
    if (typeof value !== "number") throw notNumber(value, `${pointer}/${index}`);
    check(value, pointer, index);
    values[index] = value;
  }
  return values;
}

function notNumber(value: unknown, pointer: string): PredictBodyError {
  const isArray = Array.isArray(value);
  return new PredictBodyError(
    isArray ? "SHAPE" : "TYPE",
    `${pointer} is ${kindOf(value)}, and should be a number${isArray ? ": several inputs go in input_batch" : ""}`,
    { pointer },
  );
}

function checkFinite(value: number, pointer: string, index: number): void {
  if (!Number.isFinite(value)) {
    const place = `${pointer}/${index}`;
    throw new PredictBodyError("NON_FINITE", `${place} is too large for a double`, { pointer: place });
  }
}

function checkFloat(value: number, pointer: string, index: number): void {
  checkFinite(value, pointer, index);
  if (!Number.isFinite(Math.fround(value))) {
    const place = `${pointer}/${index}`;
    throw new PredictBodyError("OUT_OF_RANGE", `${place} is ${value}, too large for a 32-bit float`, {
      pointer: place,
    });
  }
}

function checkInteger(value: number, pointer: string, index: number): void {
  // An integer of 32 bits, told at once.
  if ((value | 0) === value) return;
  checkFinite(value, pointer, index);
  const place = `${pointer}/${index}`;
  if (!Number.isInteger(value)) {
    throw new PredictBodyError("TYPE", `${place} is ${value}, and should be an integer`, { pointer: place });
  }
  if (value < MIN_INT32 || value > MAX_INT32) {
    throw new PredictBodyError("OUT_OF_RANGE", `${place} is ${value}, outside the 32-bit integers`, {
      pointer: place,
    });
  }
}

function text(input: unknown, pointer: string): Uint8Array {
  if (typeof input !== "string") {
    throw new PredictBodyError("TYPE", `${pointer} is ${kindOf(input)}, and should be a string`, { pointer });
  }
  if (!input.isWellFormed()) {
    throw new PredictBodyError("BAD_UNICODE", `${pointer} holds half of a surrogate pair`, { pointer });
  }
  return Buffer.from(input, "utf8");
}

/** Standard alphabet, padded, canonical: what encodes to the same text again. */
function base64(input: unknown, pointer: string): Uint8Array {
  if (typeof input !== "string") {
    throw new PredictBodyError("TYPE", `${pointer} is ${kindOf(input)}, and should be a base64 string`, {
      pointer,
    });
  }
  const bytes = Buffer.from(input, "base64");
  if (bytes.toString("base64") !== input) {
    throw new PredictBodyError("BAD_BASE64", `${pointer} is not padded standard base64`, { pointer });
  }
  return bytes;
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "boolean") return String(value);
  return `a ${typeof value}`;
}
