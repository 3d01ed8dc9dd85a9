import { ClipperError } from "./clipper-error.js";

/** A method was called that needs a connection, before `start` or `connect` or after `stop`. Clipper's UnconnectedException. */
export class UnconnectedError extends ClipperError {
  constructor({ operation }: { operation: string }) {
    super({
      code: "UNCONNECTED",
      message: `${operation} needs a connection to a Clipper cluster, and there is none`,
      hint: "call connect() for a cluster that runs, or start() for a new one",
      facts: { operation },
    });
  }
}

/** A name that no application, model, version, cluster or workload may have. */
export class InvalidNameError extends ClipperError {
  constructor(facts: { kind: string; name: unknown; pattern: string; reserved?: boolean }) {
    const shown =
      typeof facts.name === "string" ? JSON.stringify(facts.name.slice(0, 80)) : String(facts.name);
    super({
      code: "INVALID_NAME",
      message: facts.reserved
        ? `${shown} is reserved and cannot be the name of an ${facts.kind}`
        : `${shown} cannot be the name of ${facts.kind === "application" ? "an" : "a"} ${facts.kind}`,
      hint: facts.reserved
        ? "choose another name: the query frontend answers this path itself"
        : "use at most 63 lower-case letters, digits and '-', starting and ending with a letter or digit",
      facts,
    });
  }
}

/** An argument that cannot be right, found before anything was done. */
export class InvalidArgumentError extends ClipperError {
  constructor(options: {
    argument: string;
    value: unknown;
    expected: string;
    /** Where the sentence made of the other three would not do. */
    message?: string;
    hint?: string;
    cause?: unknown;
  }) {
    super({
      code: "INVALID_ARGUMENT",
      message:
        options.message ?? `${options.argument} must be ${options.expected}, not ${show(options.value)}`,
      hint: options.hint,
      facts: { argument: options.argument, expected: options.expected },
      cause: options.cause,
    });
  }
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}
