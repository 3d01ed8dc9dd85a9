import { ClipperError } from "@clipper-serving/spec";

/** The environment does not say how to run. The process ends with 78, `EX_CONFIG`. */
export class ConfigurationError extends ClipperError {
  constructor(options: { key: string; message: string; hint?: string | undefined; cause?: unknown }) {
    super({
      code: "BAD_CONFIGURATION",
      message: `${options.key}: ${options.message}`,
      hint: options.hint,
      facts: { key: options.key },
      cause: options.cause,
    });
  }
}
