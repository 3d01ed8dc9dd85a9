import { BadRequestError } from "../http/request-errors.js";

/** A body that Clipper would not have parsed, in Clipper's words. */
export class ClipperJsonError extends BadRequestError {
  constructor(options: { what: string; expected: string; cause?: unknown }) {
    super({
      code: "BAD_JSON",
      message: `Error parsing JSON: ${options.what}. Expected JSON schema: ${options.expected}`,
      cause: options.cause,
    });
  }
}

/** Reads the fields of a body as Clipper did: each by its name and type, whatever else is there ignored. */
export class ClipperBody {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #expected: string;

  /**
   * @param parse gives the parsed body; throws when it is not JSON
   * @param expected the schema Clipper shows for this route
   */
  constructor(parse: () => unknown, expected: string) {
    this.#expected = expected;
    const value = parsed(parse, expected);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.#error("Can only get key-value pair from an object");
    }
    this.#fields = value as Record<string, unknown>;
  }

  string(key: string): string {
    const value = this.#required(key);
    if (typeof value === "string") return value;
    throw this.#mismatch(key, "string", value);
  }

  strings(key: string): readonly string[] {
    const value = this.#required(key);
    if (!Array.isArray(value)) throw this.#mismatch(key, "array", value);
    const other = value.find((element) => typeof element !== "string");
    if (other === undefined) return value as string[];
    throw this.#error(`Array input of type ${typeWord(other)} is not of type string`);
  }

  boolean(key: string): boolean {
    const value = this.#required(key);
    if (typeof value === "boolean") return value;
    throw this.#error(`Type mismatch! JSON key ${key} expected type bool but found type ${typeWord(value)}`);
  }

  /** A 32-bit integer. */
  integer(key: string): number {
    const value = this.#required(key);
    if (typeof value === "number" && value === (value | 0)) return value;
    throw this.#mismatch(key, "int", value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#fields, key);
  }

  #required(key: string): unknown {
    if (this.has(key)) return this.#fields[key];
    throw this.#error(`JSON object does not have required key: ${key}`);
  }

  /** Without a blank before "but", as Clipper has it. */
  #mismatch(key: string, expected: string, value: unknown): ClipperJsonError {
    return this.#error(
      `Type mismatch! JSON key ${key} expected type ${expected}but found type ${typeWord(value)}`,
    );
  }

  #error(what: string): ClipperJsonError {
    return new ClipperJsonError({ what, expected: this.#expected });
  }
}

function parsed(parse: () => unknown, expected: string): unknown {
  try {
    const value = parse();
    if (value !== undefined) return value;
  } catch (cause) {
    if (!BadRequestError.isInstance(cause)) throw cause;
    if (cause.code !== "EMPTY_BODY") {
      throw new ClipperJsonError({ what: `JSON parse error: ${cause.message}\n`, expected, cause });
    }
  }
  throw new ClipperJsonError({ what: "JSON parse error: The document is empty. (offset 0)\n", expected });
}

/** RapidJSON's name of a value's type. */
function typeWord(value: unknown): string {
  if (value === null) return "Null";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return "Array";
  return { string: "String", number: "Number" }[typeof value as "string" | "number"] ?? "Object";
}
