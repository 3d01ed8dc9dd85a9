import type { Datatype } from "./payload.js";

/** Clipper's five input types: what one input of an application is. */
export const INPUT_TYPES = ["integers", "floats", "doubles", "strings", "bytes"] as const;

export type InputType = (typeof INPUT_TYPES)[number];

/** The datatype of the single part named `input` that an input of this type becomes. */
export const INPUT_TYPE_DATATYPE: Readonly<Record<InputType, Datatype>> = {
  integers: "INT32",
  floats: "FP32",
  doubles: "FP64",
  strings: "BYTES",
  bytes: "BYTES",
};

const ALIASES: ReadonlyMap<string, InputType> = new Map<string, InputType>([
  ...["integers", "ints", "integer", "int", "i"].map((alias) => [alias, "integers"] as const),
  ...["floats", "float", "f"].map((alias) => [alias, "floats"] as const),
  ...["doubles", "double", "d"].map((alias) => [alias, "doubles"] as const),
  ...["strings", "string", "strs", "str", "s"].map((alias) => [alias, "strings"] as const),
  ...["bytes", "byte", "b"].map((alias) => [alias, "bytes"] as const),
]);

/** @returns the canonical input type of one of Clipper's spellings, or undefined. */
export function parseInputType(text: string): InputType | undefined {
  return ALIASES.get(text);
}
