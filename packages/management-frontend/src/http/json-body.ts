import { BadRequestError } from "./request-errors.js";

const MAX_DEPTH = 64;

/**
 * Parses a body as JSON in UTF-8.
 * @throws BadRequestError `EMPTY_BODY`, `BAD_UTF8`, `TOO_DEEP`, `BAD_JSON`, `FORBIDDEN_KEY`
 */
export function parseJsonBody(bytes: Buffer): unknown {
  const text = decode(bytes);
  if (text.trim() === "") {
    throw new BadRequestError({ code: "EMPTY_BODY", message: "the body is empty; it must be a JSON object" });
  }
  checkDepth(text);
  try {
    return JSON.parse(text, refuseForbiddenKeys);
  } catch (error) {
    if (BadRequestError.isInstance(error)) throw error;
    throw new BadRequestError({
      code: "BAD_JSON",
      message: `the body is not JSON: ${(error as SyntaxError).message}`,
      cause: error,
    });
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BadRequestError({ code: "BAD_UTF8", message: "the body is not valid UTF-8", cause });
  }
}

/** Before the parser, which recurses. */
function checkDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") {
      depth++;
      if (depth > MAX_DEPTH) {
        throw new BadRequestError({ code: "TOO_DEEP", message: `the body nests deeper than ${MAX_DEPTH}` });
      }
    } else if (character === "}" || character === "]") depth--;
  }
}

function refuseForbiddenKeys(key: string, value: unknown): unknown {
  if (key === "__proto__") {
    throw new BadRequestError({
      code: "FORBIDDEN_KEY",
      message: '"__proto__" cannot be a key',
      facts: { key },
    });
  }
  return value;
}
