import { isAscii, isUtf8 } from "node:buffer";
import type { InputType, Payload } from "@clipper-serving/spec";
import { INPUT_READERS, kindOf } from "./input-readers.js";
import type { JsonLimits } from "./json-limits.js";
import { NumberMemory } from "./number-memory.js";
import { PredictBodyError } from "./predict-body-error.js";
import { checkStructure, scanMembers } from "./structure.js";
import { syntaxErrorOffset } from "./syntax-offset.js";

/** What a caller asked for. */
export interface PredictBody {
  readonly isBatch: boolean;
  /** At least one. */
  readonly inputs: readonly Payload[];
  readonly version?: string;
}

/** Reads the bodies of prediction requests. Knows neither HTTP nor applications. */
export class PredictBodyParser {
  readonly #limits: JsonLimits;
  readonly #memory = new NumberMemory();

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  /** @throws PredictBodyError */
  parse(whole: Buffer, inputType: InputType): PredictBody {
    const root = this.#rootOf(whole);
    const isSingle = Object.hasOwn(root, "input");
    const isBatch = Object.hasOwn(root, "input_batch");
    if (isSingle && isBatch) {
      throw new PredictBodyError("AMBIGUOUS_INPUT", "the body has both input and input_batch");
    }
    if (!isSingle && !isBatch) {
      throw new PredictBodyError(
        "MISSING_INPUT",
        "JSON object does not have required keys input or input_batch",
      );
    }
    const version = versionOf(root);
    const inputs = isBatch ? this.#batch(root.input_batch, inputType) : this.#single(root.input, inputType);
    return version === undefined ? { isBatch, inputs } : { isBatch, inputs, version };
  }

  #rootOf(whole: Buffer): Record<string, unknown> {
    const body = hasByteOrderMark(whole) ? whole.subarray(3) : whole;
    if (body.length === 0) throw new PredictBodyError("EMPTY_BODY", "the body is empty");
    const ascii = isAscii(body);
    if (!ascii && !isUtf8(body)) throw new PredictBodyError("BAD_UTF8", "the body is not UTF-8");
    const structure = checkStructure(body, this.#limits);
    const root = parseJson(body, ascii);
    if (typeof root !== "object" || root === null || Array.isArray(root)) {
      throw new PredictBodyError("NOT_OBJECT", "JSON schema invalid");
    }
    const keys = Object.keys(root);
    if (structure.colons !== keys.length) {
      const members = structure.members ?? scanMembers(body, this.#limits);
      if (members.topLevel !== keys.length) {
        throw new PredictBodyError("DUPLICATE_KEY", "the body has a key twice");
      }
      if (members.all !== members.topLevel) checkKeys(root, "");
    }
    if (keys.includes("__proto__")) throw forbidden("/__proto__");
    return root as Record<string, unknown>;
  }

  #batch(batch: unknown, inputType: InputType): Payload[] {
    const pointer = "/input_batch";
    if (!Array.isArray(batch)) {
      throw new PredictBodyError("TYPE", `${pointer} is ${kindOf(batch)}, and should be an array of inputs`, {
        pointer,
      });
    }
    if (batch.length === 0) throw new PredictBodyError("EMPTY_BATCH", `${pointer} is empty`, { pointer });
    const { maxBatch } = this.#limits;
    if (batch.length > maxBatch) {
      throw new PredictBodyError(
        "BATCH_TOO_LARGE",
        `${pointer} has ${batch.length} inputs, and may have ${maxBatch}`,
        {
          pointer,
          limit: maxBatch,
        },
      );
    }
    let elements = 0;
    for (const input of batch) elements += elementsOf(input);
    this.#checkElements(elements);
    const read = INPUT_READERS[inputType];
    return batch.map((input, index) => read(input, `${pointer}/${index}`, this.#memory));
  }

  #single(input: unknown, inputType: InputType): Payload[] {
    this.#checkElements(elementsOf(input));
    return [INPUT_READERS[inputType](input, "/input", this.#memory)];
  }

  #checkElements(elements: number): void {
    const { maxElements } = this.#limits;
    if (elements <= maxElements) return;
    throw new PredictBodyError(
      "TOO_MANY_ELEMENTS",
      `the body has ${elements} elements, and may have ${maxElements}`,
      { limit: maxElements },
    );
  }
}

function elementsOf(input: unknown): number {
  return Array.isArray(input) ? input.length : 1;
}

function hasByteOrderMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}

function parseJson(body: Buffer, ascii: boolean): unknown {
  try {
    return JSON.parse(body.toString(ascii ? "latin1" : "utf8"));
  } catch {
    // V8's own message differs between versions and shows the caller's data.
    const offset = syntaxErrorOffset(body);
    throw new PredictBodyError("BAD_JSON", `the body is not JSON from byte ${offset} on`, { offset });
  }
}

function versionOf(root: Record<string, unknown>): string | undefined {
  if (!Object.hasOwn(root, "version")) return undefined;
  const { version } = root;
  if (typeof version === "string") return version;
  throw new PredictBodyError("TYPE", `/version is ${kindOf(version)}, and should be a string`, {
    pointer: "/version",
  });
}

/** Refuses keys that reach prototypes in careless code, wherever they stand. */
function checkKeys(value: unknown, pointer: string): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) checkKeys(value[index], `${pointer}/${index}`);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      const place = `${pointer}/${key.slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (key === "__proto__") throw forbidden(place);
      if (
        key === "constructor" &&
        typeof member === "object" &&
        member !== null &&
        Object.hasOwn(member, "prototype")
      ) {
        throw forbidden(`${place}/prototype`);
      }
      checkKeys(member, place);
    }
  }
}

function forbidden(pointer: string): PredictBodyError {
  return new PredictBodyError("FORBIDDEN_KEY", `${pointer} is a key that is never taken`, { pointer });
}
