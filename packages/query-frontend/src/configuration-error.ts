import { ClipperError } from "@clipper-serving/spec";

/** A variable of the environment cannot be right. The program ends with status 78. */
export class ConfigurationError extends ClipperError {
  constructor({
    key,
    message,
    hint,
    cause,
  }: { key: string; message: string; hint?: string; cause?: unknown }) {
    super({ code: "CONFIGURATION", message: `${key} ${message}`, hint, facts: { key }, cause });
  }
}
