import type { LogLine } from "@clipper-serving/spec";

/*
 * A log file holds one frame per line: `<ms since 1970> <o|e> <the line's bytes>`. Bytes are kept as they came; what is not UTF-8 is
 * replaced when it is read.
 */

/** Size at which a log file is put aside. */
export const LOG_FILE_BYTES = 10 * 1024 * 1024;
/** How many files one instance's log has at most, the current one included. */
export const LOG_FILE_COUNT = 3;

export type LogFrame = Pick<LogLine, "stream" | "text"> & { readonly timeMs: number };

export function encodeFrames(
  stream: LogLine["stream"],
  timeMs: number,
  lines: readonly Uint8Array[],
): Buffer {
  const prefix = Buffer.from(`${timeMs} ${stream === "stdout" ? "o" : "e"} `);
  const newline = Buffer.from("\n");
  return Buffer.concat(lines.flatMap((line) => [prefix, line, newline]));
}

/** @returns the frame in a line of a file, or undefined for what is left of a frame whose writer was killed before its text began */
export function decodeFrame(line: Buffer): LogFrame | undefined {
  const match = /^(\d{1,16}) ([oe]) /.exec(line.toString("latin1", 0, 20));
  if (match === null) return undefined;
  const [prefix, time, mark] = match as unknown as [string, string, string];
  return {
    stream: mark === "o" ? "stdout" : "stderr",
    text: line.toString("utf8", prefix.length),
    timeMs: Number(time),
  };
}

/** The files of one instance's log, oldest first. */
export function logFiles(path: string): readonly string[] {
  return Array.from({ length: LOG_FILE_COUNT }, (_, age) => (age === 0 ? path : `${path}.${age}`)).reverse();
}

export const LOG_SUFFIX = ".log";
