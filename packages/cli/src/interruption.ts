import { EXIT } from "./exit-code.js";

/** What an interrupted command's signal is aborted with. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("interrupted");
  }
}

/** A command that ends by itself this soon needs no word about it, ms. */
const SAY_SO_AFTER_MS = 300;

/**
 * @param say told when ending takes a moment
 * @returns a signal that aborts at the first Ctrl-C or SIGTERM, so that the command leaves things in order; the second ends the process at once
 */
export function interruptionSignal(say: (text: string) => void): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    const reason = new InterruptedError();
    setTimeout(
      () => say("interrupted: leaving things in order (once more to end at once)"),
      SAY_SO_AFTER_MS,
    ).unref();
    // Whoever waits for input waits for nothing else; where nobody does, nobody is to hear of it.
    process.stdin.on("error", () => {}).destroy(reason);
    controller.abort(reason);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return controller.signal;
}

/** Whether a command ended because it was interrupted; timers and streams tell that in their own way. */
export function isInterruption(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof InterruptedError) return true;
  return (
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === "AbortError"))
  );
}
