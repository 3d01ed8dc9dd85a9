import { ProtocolError } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { describe as described } from "../test-support/described-frame.ts";
import {
  fixtureTexts,
  type GoldenFixture,
  type HostileFixture,
  readFixture,
} from "../test-support/fixture-files.ts";
import { FrameDecoder } from "./frame-decoder.js";
import { FrameEncoder } from "./frame-encoder.js";
import type { Frame } from "./frames.js";

const golden: readonly GoldenFixture[] = JSON.parse(readFixture("golden.json"));
const hostile: readonly HostileFixture[] = JSON.parse(readFixture("hostile.json"));

function decode(bytes: Uint8Array, chunkBytes = bytes.byteLength): { frames: Frame[]; midFrame: boolean } {
  const frames: Frame[] = [];
  const decoder = new FrameDecoder();
  for (let offset = 0; offset < bytes.byteLength; offset += chunkBytes) {
    decoder.push(bytes.slice(offset, offset + chunkBytes), (frame) => frames.push(frame));
  }
  return { frames, midFrame: decoder.midFrame };
}

describe("the fixture files", () => {
  it.each(["golden.json", "hostile.json"] as const)("%s is what its descriptions say", (file) => {
    expect(readFixture(file)).toBe(fixtureTexts()[file]);
  });
});

describe.each(golden)("golden frame: $name", ({ hex, frame, decodeOnly }) => {
  const bytes = Buffer.from(hex, "hex");
  // Absent fields have their defaults when read.
  const expected =
    decodeOnly === undefined
      ? frame
      : {
          ...frame,
          header: { text: "", "bundle-digest": "", features: 0, "max-batch": 0, ...frame.header },
        };

  it.each([bytes.byteLength, 1, 7])("is read as described, in chunks of %d", (chunkBytes) => {
    const { frames, midFrame } = decode(bytes, chunkBytes);
    expect(midFrame).toBe(false);
    expect(frames).toHaveLength(1);
    const found = described(frames[0]!);
    if (decodeOnly === undefined) expect(found).toEqual(expected);
    else expect(expected).toMatchObject(found as unknown as Record<string, unknown>);
  });
});

describe.each(golden.filter(({ decodeOnly }) => decodeOnly === undefined))(
  "golden frame: $name",
  ({ hex }) => {
    it("is written byte for byte", () => {
      const [decoded] = decode(Buffer.from(hex, "hex")).frames;
      expect(Buffer.concat(new FrameEncoder().encode(decoded!)).toString("hex")).toBe(hex);
    });
  },
);

describe.each(hostile)("hostile bytes: $name", ({ hex, expect: outcome }) => {
  const bytes = Buffer.from(hex, "hex");

  it.each([Math.max(1, bytes.byteLength), 1, 13])(`are ${outcome}, in chunks of %d`, (chunkBytes) => {
    if (outcome === "protocol-error") {
      expect(() => decode(bytes, chunkBytes)).toThrow(ProtocolError);
    } else {
      const { frames, midFrame } = decode(bytes, chunkBytes);
      expect(frames).toEqual([]);
      expect(midFrame).toBe(outcome === "incomplete" && bytes.byteLength > 0);
    }
  });
});
