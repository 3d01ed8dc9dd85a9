import { ProtocolError } from "@clipper-serving/spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryFrame } from "../test-support/arbitrary-frames.ts";
import { type GoldenFixture, readFixture } from "../test-support/fixture-files.ts";
import { FrameDecoder } from "./frame-decoder.js";
import { FrameEncoder } from "./frame-encoder.js";
import type { Frame } from "./frames.js";
import { MAX_FRAME_LENGTH } from "./wire-format.js";

const golden = (JSON.parse(readFixture("golden.json")) as GoldenFixture[]).map(({ hex }) =>
  Buffer.from(hex, "hex"),
);

interface Decoded {
  readonly frames: readonly Frame[];
  readonly failed: boolean;
}

/** Decodes what can be decoded. Anything but a ProtocolError is thrown on, and fails the property. */
function decode(chunks: readonly Uint8Array[], decoder = new FrameDecoder()): Decoded {
  const frames: Frame[] = [];
  try {
    for (const chunk of chunks) decoder.push(chunk, (frame) => frames.push(frame));
  } catch (error) {
    if (!ProtocolError.isInstance(error)) throw error;
    return { frames, failed: true };
  }
  return { frames, failed: false };
}

/** Cuts `bytes` after each of the lengths, again and again. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let offset = 0, turn = 0; offset < bytes.byteLength; turn++) {
    const end = offset + lengths[turn % lengths.length]!;
    chunks.push(bytes.slice(offset, end));
    offset = end;
  }
  return chunks;
}

const cuts = fc.array(
  fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 70_000 })),
  {
    minLength: 1,
    maxLength: 6,
  },
);

describe("the codec, for any frames", () => {
  it("reads what it wrote, whatever the chunks", () => {
    const encoder = new FrameEncoder();
    fc.assert(
      fc.property(fc.array(arbitraryFrame, { maxLength: 4 }), cuts, (frames, lengths) => {
        const bytes = Buffer.concat(frames.flatMap((frame) => encoder.encode(frame)));
        expect(decode([bytes])).toEqual({ frames, failed: false });
        expect(decode(cut(bytes, lengths))).toEqual({ frames, failed: false });
      }),
      { numRuns: 300 },
    );
  });

  it("throws nothing but ProtocolError for a frame with some bytes changed, and the same whatever the chunks", () => {
    const mutation = fc.tuple(
      fc.nat({ max: golden.length - 1 }),
      fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 }))), {
        minLength: 1,
        maxLength: 4,
      }),
      cuts,
    );
    fc.assert(
      fc.property(mutation, ([which, changes, lengths]) => {
        const bytes = Buffer.from(golden[which]!);
        for (const [position, value] of changes) bytes[position % bytes.byteLength] = value;
        expect(decode(cut(bytes, lengths))).toEqual(decode([bytes]));
      }),
      { numRuns: 5000 },
    );
  });

  it("throws nothing but ProtocolError for random blobs behind a possible length", () => {
    const blob = fc.tuple(
      fc.constantFrom(1, 2, 5, 6, 9, 10, 16, 17, 99),
      fc.nat({ max: 3 }),
      fc.uint8Array({ maxLength: 300 }),
    );
    fc.assert(
      fc.property(blob, ([type, headerBytes, rest]) => {
        const bytes = Buffer.alloc(16 + rest.byteLength);
        bytes.writeUInt32LE(bytes.byteLength - 4);
        bytes[4] = type;
        bytes.writeUInt16LE(headerBytes * 8, 6);
        bytes.set(rest, 16);
        decode([bytes]);
      }),
      { numRuns: 5000 },
    );
  });

  it("throws nothing but ProtocolError for random blobs", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (blob) => {
        decode([Uint8Array.from(blob)]);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("what the decoder allocates", () => {
  it("for a claimed length of 64 MiB is no more than a little, until the bytes come", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 64 }, () => {
      const decoder = new FrameDecoder();
      const beginning = Buffer.alloc(5);
      beginning.writeUInt32LE(MAX_FRAME_LENGTH);
      decode([beginning], decoder);
      return decoder;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
    expect(decoders.every((decoder) => decoder.midFrame)).toBe(true);
  });

  it("takes a frame of 3 MiB in slices", () => {
    const data = new Uint8Array(3 * 1024 * 1024).map((_, index) => index);
    const part = { name: "input", datatype: "UINT8" as const, shape: [data.byteLength], data };
    const frame: Frame = {
      type: "PREDICT",
      id: 1,
      mayIgnore: false,
      items: [{ id: 2, input: { parts: [part] }, remainingMicros: 3 }],
    };
    const { frames } = decode(cut(Buffer.concat(new FrameEncoder().encode(frame)), [65_536]));
    expect(frames).toEqual([frame]);
  });
});
