import { writeSync } from "node:fs";
import { inspect } from "node:util";

/**
 * Says in the supervisor's own log what went wrong. Not by `console`: a stream that once could not be written, as on a full disk,
 * ends the process.
 */
export function report(trouble: unknown): void {
  try {
    writeSync(process.stderr.fd, `${new Date().toISOString()} ${inspect(trouble)}\n`);
  } catch {
    // There is nowhere else to say it.
  }
}
