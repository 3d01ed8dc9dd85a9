import { ClipperError } from "@clipper-serving/spec";

/** A request that cannot be right, whatever the state: its JSON, its fields, its headers. */
export class BadRequestError extends ClipperError {
  constructor(options: {
    code: string;
    message: string;
    hint?: string | undefined;
    facts?: Readonly<Record<string, unknown>>;
    cause?: unknown;
  }) {
    super(options);
  }
}

/** The body, or one of its fields, is larger than is kept. */
export class TooLargeError extends ClipperError {
  constructor(options: { what: string; limitBytes: number }) {
    super({
      code: "TOO_LARGE",
      message: `${options.what} may be at most ${options.limitBytes} bytes`,
      facts: { ...options },
    });
  }
}

/** The body is something else than JSON in UTF-8. */
export class UnsupportedMediaTypeError extends ClipperError {
  constructor(options: { header: "content-type" | "content-encoding"; value: string | undefined }) {
    super({
      code: "UNSUPPORTED_MEDIA_TYPE",
      message: `the body's ${options.header} ${options.value === undefined ? "is missing" : `${JSON.stringify(options.value.slice(0, 80))} is not understood`}`,
      hint: "send JSON in UTF-8, not compressed, with content-type: application/json",
      facts: { header: options.header },
    });
  }
}

/** The path exists, the method does not. */
export class MethodNotAllowedError extends ClipperError {
  readonly allowed: readonly string[];

  constructor(options: { method: string; allowed: readonly string[] }) {
    super({
      code: "METHOD_NOT_ALLOWED",
      message: `${options.method} is not possible here`,
      hint: `use ${options.allowed.join(" or ")}`,
      facts: { allowed: options.allowed },
    });
    this.allowed = options.allowed;
  }
}

/** Nothing answers at this path. */
export class UnknownPathError extends ClipperError {
  constructor() {
    super({ code: "UNKNOWN_PATH", message: "there is nothing at this path" });
  }
}

/** The record is not at the revision that `If-Match` names. */
export class PreconditionFailedError extends ClipperError {
  constructor(options: { expected: string; revision: number | undefined }) {
    super({
      code: "PRECONDITION_FAILED",
      message:
        options.revision === undefined
          ? `the record is not there, so it is not at revision ${options.expected}`
          : `the record is at revision ${options.revision}, not ${options.expected}`,
      hint: "read it again, and decide again",
      facts: { expected: options.expected, revision: options.revision },
    });
  }
}
