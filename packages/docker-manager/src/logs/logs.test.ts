import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogDemuxer } from "./log-demuxer.js";
import { LogLineReader, type TimedLine } from "./log-line-reader.js";

interface Recording {
  /** The engine's answer, base64. */
  readonly bytes: string;
  /** What `docker logs` wrote of it on its standard output, base64. */
  readonly stdout: string;
}

const recorded = JSON.parse(
  readFileSync(new URL("../../fixtures/container-logs.json", import.meta.url), "utf8"),
) as Readonly<Record<"frames" | "terminal", Recording>>;

function linesOf(chunks: readonly Buffer[], isTerminal: boolean): TimedLine[] {
  const demuxer = new LogDemuxer({ isTerminal });
  const reader = new LogLineReader();
  const lines = chunks.flatMap((bytes) => demuxer.push(bytes).flatMap((chunk) => reader.push(chunk)));
  demuxer.end();
  return [...lines, ...reader.end()];
}

/** The bytes in pieces, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % bytes.length).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe.each([
  ["frames", false],
  ["terminal", true],
] as const)("a recorded log with %s", (kind, isTerminal) => {
  const bytes = Buffer.from(recorded[kind].bytes, "base64");
  const whole = linesOf([bytes], isTerminal);

  it("has the lines that the docker command shows", () => {
    const shown = Buffer.from(recorded[kind].stdout, "base64").toString("utf8");
    const texts = whole.filter(({ stream }) => stream === "stdout").map(({ text }) => text);
    expect(texts).toEqual(shown.replaceAll("\r\n", "\n").split("\n"));
    expect(texts.some((text) => text.length > 8_000)).toBe(true);
    expect(whole.every(({ timeMs }) => timeMs !== undefined && timeMs > 1_700_000_000_000)).toBe(true);
  });

  it("has the same lines in whatever pieces it comes", () => {
    const places = fc.array(fc.nat({ max: bytes.length - 1 }), { maxLength: 40 });
    fc.assert(
      fc.property(places, (at) => {
        expect(linesOf(cut(bytes, at), isTerminal)).toEqual(whole);
      }),
      { numRuns: 60 },
    );
    const start = bytes.subarray(0, 400);
    const single = Array.from(start, (_, index) => start.subarray(index, index + 1));
    expect(linesOf([...single, bytes.subarray(400)], isTerminal)).toEqual(whole);
  });
});

describe("a log without a terminal", () => {
  it("tells both streams apart", () => {
    const bytes = Buffer.from(recorded.frames.bytes, "base64");
    const errors = linesOf([bytes], false).filter(({ stream }) => stream === "stderr");
    expect(errors.map(({ text }) => text)).toEqual([
      "to stderr: grüße 🙂",
      "2024-01-01T00:00:00Z looks like a time",
    ]);
  });

  it("that ends within a message is an error, and so is what has no header", () => {
    const bytes = Buffer.from(recorded.frames.bytes, "base64");
    const expected = expect.objectContaining({ code: "ENGINE_BROKEN_STREAM" });
    expect(() => linesOf([bytes.subarray(0, -1)], false)).toThrow(expected);
    expect(() => linesOf([Buffer.from(recorded.terminal.bytes, "base64")], false)).toThrow(expected);
  });

  it("gives a line that goes on and on as several, before it is over", () => {
    const TIME = "2024-01-01T00:00:00.000000001Z";
    const message = (text: string): Buffer => {
      const bytes = Buffer.from(`${TIME} ${text}`);
      const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
      header.writeUInt32BE(bytes.length, 4);
      return Buffer.concat([header, bytes]);
    };
    const text = "é€".repeat(60_000);
    const pieces = text.match(/.{1,5000}/gs)!.map(message);
    const demuxer = new LogDemuxer({ isTerminal: false });
    const reader = new LogLineReader();
    const early = pieces.flatMap((piece) => demuxer.push(piece).flatMap((chunk) => reader.push(chunk)));
    expect(early.length).toBeGreaterThan(3);
    const lines = [...early, ...linesOfRest(reader, message("the end\nnext\n"))];
    expect(lines.at(-1)).toMatchObject({ text: "next" });
    expect(
      lines
        .slice(0, -1)
        .map((line) => line.text)
        .join(""),
    ).toBe(`${text}the end`);
    for (const line of lines) {
      expect(Buffer.byteLength(line.text)).toBeLessThanOrEqual(64 * 1_024);
      expect(line.time ?? TIME).toBe(TIME);
    }
  });
});

function linesOfRest(reader: LogLineReader, bytes: Buffer): TimedLine[] {
  const chunks = new LogDemuxer({ isTerminal: false }).push(bytes);
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
}
