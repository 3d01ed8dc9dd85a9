import { EXIT } from "./exit-code.js";

/** What an interrupted command's signal is aborted with. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("interrupted");
  }
}

/**
 * @returns a signal that aborts at the first Ctrl-C or SIGTERM, so that the command undoes what it half did; the second ends the process at once
 */
export function interruptionSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write("interrupted: undoing what was begun (once more to leave it)\n");
    controller.abort(new InterruptedError());
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return controller.signal;
}
