import type { LogChunk } from "./log-demuxer.js";

export interface TimedLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  readonly timeMs?: number;
  /** As the engine wrote it, to the nanosecond. */
  readonly time?: string;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) /;
const LONGEST_TIME = 40;
/** Longer lines the engine keeps in pieces of this size. */
const PIECE_BYTES = 16_384;

/** A longer line is given as several, so that a program that never ends its line cannot fill the memory. */
const LONGEST_LINE_BYTES = 64 * 1_024;

/** A line that is not over yet. */
interface OpenLine {
  readonly time: string | undefined;
  readonly parts: Buffer[];
  bytes: number;
}

/**
 * Makes lines of messages that each begin with their time. The engine cuts long lines into messages, anywhere, so that bytes are put together
 * again before they are read as text.
 */
export class LogLineReader {
  readonly #open = new Map<"stdout" | "stderr", OpenLine>();

  push({ stream, bytes, isMessage }: LogChunk): TimedLine[] {
    const lines: TimedLine[] = [];
    let rest = bytes;
    // Each message has its time, also one that goes on with a line; of a terminal's bytes only lines begin with one.
    let isStart = isMessage;
    while (rest.length > 0) {
      const end = rest.indexOf(NEWLINE);
      const part = end < 0 ? rest : rest.subarray(0, end);
      this.#take(stream, part, isStart);
      isStart = false;
      lines.push(...this.#overlong(stream));
      if (end < 0) break;
      lines.push(this.#close(stream));
      rest = rest.subarray(end + 1);
    }
    return lines;
  }

  /** What was written without an end of line. */
  end(): TimedLine[] {
    return [...this.#open.keys()].map((stream) => this.#close(stream));
  }

  #take(stream: "stdout" | "stderr", part: Buffer, isMessageStart: boolean): void {
    const time = isMessageStart ? timeOf(part) : undefined;
    const open = this.#open.get(stream) ?? { time, parts: [], bytes: 0 };
    const text = part.subarray(time === undefined ? 0 : time.length + 1);
    open.parts.push(text);
    open.bytes += text.length;
    this.#open.set(stream, open);
  }

  /** What is given of a line before it is over. */
  #overlong(stream: "stdout" | "stderr"): TimedLine[] {
    const lines: TimedLine[] = [];
    for (;;) {
      const open = this.#open.get(stream);
      if (open === undefined || open.bytes <= LONGEST_LINE_BYTES) return lines;
      const { time, parts } = open;
      const bytes = Buffer.concat(parts);
      const cut = characterBoundary(bytes, LONGEST_LINE_BYTES);
      this.#open.set(stream, { time, parts: [bytes.subarray(0, cut)], bytes: cut });
      const line = this.#close(stream);
      lines.push(line);
      const rest = bytes.subarray(cut);
      this.#open.set(stream, { time: time ?? line.time, parts: [rest], bytes: rest.length });
    }
  }

  #close(stream: "stdout" | "stderr"): TimedLine {
    const open = this.#open.get(stream) ?? { time: undefined, parts: [], bytes: 0 };
    this.#open.delete(stream);
    let bytes: Buffer = Buffer.concat(open.parts);
    // Of a terminal, a line's time may have come in two pieces.
    const time = open.time ?? timeOf(bytes);
    if (open.time === undefined && time !== undefined) {
      bytes = withoutTimes(bytes, time);
      if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
    }
    const timeMs = time === undefined ? Number.NaN : Date.parse(time);
    return {
      stream,
      text: bytes.toString("utf8"),
      ...(Number.isNaN(timeMs) ? {} : { timeMs, time: time! }),
    };
  }
}

/** Of a terminal's line: each of its pieces begins with the line's time, to the nanosecond. */
function withoutTimes(bytes: Buffer, time: string): Buffer {
  const mark = Buffer.from(`${time} `);
  const pieces: Buffer[] = [];
  let rest = bytes.subarray(mark.length);
  // What is no text takes up more room than it had when the line was cut.
  for (let at = rest.indexOf(mark, PIECE_BYTES); at >= 0; at = rest.indexOf(mark, PIECE_BYTES)) {
    pieces.push(rest.subarray(0, at));
    rest = rest.subarray(at + mark.length);
  }
  return Buffer.concat([...pieces, rest]);
}

/** @returns the last place at or before `at` where no UTF-8 character is cut */
function characterBoundary(bytes: Buffer, at: number): number {
  for (let place = at; place > at - 4; place -= 1) {
    if ((bytes[place]! & 0b1100_0000) !== 0b1000_0000) return place;
  }
  return at;
}

function timeOf(bytes: Buffer): string | undefined {
  return TIME.exec(bytes.toString("latin1", 0, LONGEST_TIME))?.[1];
}
