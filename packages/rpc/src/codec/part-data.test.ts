import { describe, expect, it } from "vitest";
import { FrameDecoder } from "./frame-decoder.js";
import { FrameEncoder } from "./frame-encoder.js";
import type { Frame, PredictFrame } from "./frames.js";

function predict(...lengths: number[]): PredictFrame {
  return {
    type: "PREDICT",
    id: 1,
    mayIgnore: false,
    items: lengths.map((length, index) => ({
      id: index,
      remainingMicros: 0,
      input: { parts: [{ name: "input", datatype: "UINT8", shape: [length], data: new Uint8Array(length) }] },
    })),
  };
}

function dataOf(frame: PredictFrame): Uint8Array[] {
  return frame.items.map((item) => item.input.parts[0]!.data);
}

function decodedData(bytes: Uint8Array): Uint8Array[] {
  const data: Uint8Array[] = [];
  new FrameDecoder().push(bytes, (frame: Frame) => {
    if (frame.type === "PREDICT") data.push(...dataOf(frame));
  });
  return data;
}

describe("data of payload parts", () => {
  it("are written as they are when big, and copied into one chunk when small", () => {
    const small = predict(80, 80);
    expect(new FrameEncoder().encode(small)).toHaveLength(1);
    const big = predict(20_000, 80, 30_000);
    const chunks = new FrameEncoder().encode(big);
    expect(chunks).toHaveLength(4);
    expect(chunks[1]).toBe(dataOf(big)[0]);
    expect(chunks[3]).toBe(dataOf(big)[2]);
  });

  it("are read without a copy when they are most of the chunk they came in", () => {
    const chunk = Uint8Array.from(Buffer.concat(new FrameEncoder().encode(predict(50_000))));
    expect(decodedData(chunk)[0]!.buffer).toBe(chunk.buffer);
  });

  it("keep no more than four times their size alive", () => {
    const chunk = Uint8Array.from(Buffer.concat(new FrameEncoder().encode(predict(8, 80, 9000, 30_000))));
    for (const data of decodedData(chunk)) {
      expect(data.buffer.byteLength).toBeLessThanOrEqual(4 * data.byteLength);
    }
  });
});

describe("what the wire cannot carry", () => {
  const encoder = new FrameEncoder();
  const partOf = (part: object): Frame => ({
    type: "PREDICT",
    id: 1,
    mayIgnore: false,
    items: [
      {
        id: 1,
        remainingMicros: 0,
        input: {
          parts: [{ name: "input", datatype: "FP64", shape: [1], data: new Uint8Array(8), ...part }],
        },
      },
    ],
  });

  it.each([
    ["a shape that is not the data's", { shape: [2] }],
    ["nine dimensions", { shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }],
    ["a dimension of one half", { shape: [0.5, 2] }],
    ["JSON with a shape", { datatype: "JSON" }],
    ["BYTES whose elements are not there", { datatype: "BYTES", shape: [3] }],
    ["an unknown datatype", { datatype: "FP8" }],
  ])("is refused before anything is sent: %s", (_, part) => {
    expect(() => encoder.encode(partOf(part))).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])("is an id of %d", (id) => {
    expect(() => encoder.encode({ type: "PING", id, mayIgnore: false })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("is a frame longer than the receiver takes", () => {
    expect(() => encoder.encode(predict(5000), 4096)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("is not a text that is too long: it is cut between characters", () => {
    const bytes = Buffer.concat(
      encoder.encode({ type: "DRAIN", id: 0, mayIgnore: false, text: `${"x".repeat(4095)}é` }),
    );
    const frames: Frame[] = [];
    new FrameDecoder().push(bytes, (frame) => frames.push(frame));
    expect(frames).toEqual([{ type: "DRAIN", id: 0, mayIgnore: false, text: "x".repeat(4095) }]);
  });

  it("is not a deadline that has passed or is far away: the nearest that can be said is", () => {
    const frame = predict(1, 1);
    const [first, second] = frame.items;
    const sent: PredictFrame = {
      ...frame,
      items: [
        { ...first!, remainingMicros: -5 },
        { ...second!, remainingMicros: 1e12 },
      ],
    };
    const frames: Frame[] = [];
    new FrameDecoder().push(Buffer.concat(encoder.encode(sent)), (decoded) => frames.push(decoded));
    expect((frames[0] as PredictFrame).items.map((item) => item.remainingMicros)).toEqual([0, 2_147_483_647]);
  });
});
