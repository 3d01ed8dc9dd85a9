import { ClipperError, type ClipperErrorOptions } from "./clipper-error.js";

/** A container manager, or the platform below it, failed. `code` says how; subclasses and managers add their own codes. */
export class ManagerError extends ClipperError {
  constructor(options: Omit<ClipperErrorOptions, "code"> & { code?: string; manager: string }) {
    const { manager, facts, code, ...rest } = options;
    super({ ...rest, code: code ?? "MANAGER_FAILED", facts: { manager, ...facts } });
  }
}

/** The platform cannot do what a workload asks for: an image on plain processes, a GPU where there is none. */
export class UnsupportedError extends ManagerError {
  constructor(options: { manager: string; what: string; hint?: string }) {
    super({
      manager: options.manager,
      code: "UNSUPPORTED",
      message: `the ${options.manager} manager cannot run ${options.what}`,
      hint: options.hint,
      facts: { what: options.what },
    });
  }
}

/** A pinned port is taken. */
export class PortTakenError extends ManagerError {
  constructor(options: { manager: string; port: number; holder?: string; cause?: unknown }) {
    super({
      manager: options.manager,
      code: "PORT_TAKEN",
      message: `port ${options.port} is in use${options.holder === undefined ? "" : ` by ${options.holder}`}`,
      hint: "end what holds it, pin another port, or leave the port open to choice",
      facts: { port: options.port, holder: options.holder },
      cause: options.cause,
    });
  }
}

/** Nothing answers at an address that should. */
export class UnreachableError extends ClipperError {
  constructor(options: { code?: string; what: string; address?: string; hint?: string; cause?: unknown }) {
    super({
      code: options.code ?? "UNREACHABLE",
      message: `${options.what} cannot be reached${options.address === undefined ? "" : ` at ${options.address}`}`,
      hint: options.hint,
      facts: { what: options.what, address: options.address },
      cause: options.cause,
    });
  }
}

/** Something did not come true in the time given. What it was waiting for is in the message. */
export class TimeoutError extends ClipperError {
  constructor(options: {
    what: string;
    timeoutMs: number;
    hint?: string;
    facts?: Readonly<Record<string, unknown>>;
    cause?: unknown;
  }) {
    super({
      code: "TIMEOUT",
      message: `${options.what} did not happen within ${options.timeoutMs} ms`,
      hint: options.hint,
      facts: { ...options.facts, timeoutMs: options.timeoutMs },
      cause: options.cause,
    });
  }
}

/** Not allowed: a token is missing or wrong, or the platform refuses. */
export class RefusedError extends ClipperError {
  constructor(options: {
    code?: string;
    message: string;
    hint?: string;
    facts?: Readonly<Record<string, unknown>>;
    cause?: unknown;
  }) {
    super({ ...options, code: options.code ?? "REFUSED" });
  }
}
