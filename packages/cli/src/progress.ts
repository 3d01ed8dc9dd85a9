import type { ProgressEvent } from "@clipper-serving/core";

const MARKS: Readonly<Record<ProgressEvent["state"], string>> = {
  started: "…",
  advanced: "·",
  done: "✓",
  skipped: "=",
  failed: "✗",
};

/**
 * Tells progress on stderr, one line an event. On a terminal a step's lines replace each other; elsewhere only what is finished is told.
 * @param quiet say nothing
 */
export function progressPrinter(quiet: boolean): (event: ProgressEvent) => void {
  if (quiet) return () => {};
  const terminal = process.stderr.isTTY;
  return ({ state, message }) => {
    const line = `${MARKS[state]} ${message}`;
    if (!terminal) {
      if (state !== "started") process.stderr.write(`${line}\n`);
      return;
    }
    const final = state === "done" || state === "failed";
    process.stderr.write(`\r\x1b[2K${line.slice(0, (process.stderr.columns ?? 80) - 1)}${final ? "\n" : ""}`);
  };
}
