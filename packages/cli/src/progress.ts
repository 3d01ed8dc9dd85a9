import type { ProgressEvent } from "@clipper-serving/core";

const MARKS: Readonly<Record<ProgressEvent["state"], string>> = {
  started: "…",
  advanced: "·",
  done: "✓",
  skipped: "=",
  failed: "✗",
};

export interface Progress {
  readonly show: (event: ProgressEvent) => void;
  /** Takes away a line that is not final, so that something else can be written. */
  readonly clear: () => void;
}

export interface ProgressOptions {
  /** Say nothing. */
  readonly quiet: boolean;
  /** Default: stderr. */
  readonly stream?: Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns">;
}

/** Tells progress, one line an event. On a terminal a step's lines replace each other; elsewhere only what is more than begun is told. */
export function createProgress({ quiet, stream = process.stderr }: ProgressOptions): Progress {
  if (quiet) return { show: () => {}, clear: () => {} };
  if (!stream.isTTY) {
    let last = "";
    const show = ({ state, message }: ProgressEvent) => {
      if (state === "started") return;
      const line = `${MARKS[state]} ${message}\n`;
      // How far a transfer has come changes with every chunk, and what is said of it does not.
      if (line !== last) stream.write(line);
      last = line;
    };
    return { show, clear: () => {} };
  }
  let isPassing = false;
  const clear = () => {
    if (isPassing) stream.write("\r\x1b[2K");
    isPassing = false;
  };
  const show = ({ state, message }: ProgressEvent) => {
    clear();
    isPassing = state === "started" || state === "advanced";
    const line = `${MARKS[state]} ${message}`;
    stream.write(isPassing ? line.slice(0, (stream.columns ?? 80) - 1) : `${line}\n`);
  };
  return { show, clear };
}
