import { describe, expect, it } from "vitest";
import { type GoldenFixture, readFixture } from "../test-support/fixture-files.ts";

/*
 * Bytes worked out by hand from docs/architecture/wire.md, so that the golden frames and what reads them cannot be wrong together.
 */

const golden = new Map(
  (JSON.parse(readFixture("golden.json")) as GoldenFixture[]).map(({ name, hex }) => [name, hex]),
);

function joined(...lines: string[]): string {
  return lines.join("").replaceAll(" ", "");
}

describe("frames worked out by hand", () => {
  it("HELLO", () => {
    const fields = joined(
      "0100 0400 434c5034", // magic "CLP4"
      "0200 0200 0400", // version-min 4
      "0300 0200 0400", // version-max 4
      "0400 0100 01", // role data
      "0500 0600 646967697473", // model "digits"
      "0600 0100 31", // version "1"
      "0b00 0700 646f75626c6573", // input-type "doubles"
      "0700 0300 722d31", // replica "r-1"
      "0800 1000 000102030405060708090a0b0c0d0e0f", // incarnation
      "0900 4700 7368613235363a", // bundle-digest, 71 bytes: "sha256:"
      "30313233343536373839616263646566".repeat(4), // and four times "0123456789abcdef"
      "0a00 0400 00000000", // features 0
      "1800 0400 40000000", // max-batch 64
    );
    expect(fields.length / 2).toBe(8 + 6 + 6 + 5 + 10 + 5 + 11 + 7 + 20 + 75 + 8 + 8);
    // length 12 + 169 = 181 = 0xb5; type 1; flags 0; header length 169 = 0xa9; id 0; no padding, because there is no body
    expect(golden.get("hello on data")).toBe(joined("b5000000 01 00 a900 0000000000000000", fields));
  });

  it("PREDICT", () => {
    const bytes = joined(
      "94000000 10 00 0000 0700000000000000", // length 152 - 4; type 16; no header; id 7
      "01000000 00000000", // one item
      "80000000 00 00 0000", // item of 24 + 24 + 80 bytes; status, kind, no fields
      "2900000000000000", // item id 41
      "204e0000 0100 0000", // 20,000 µs left; one part; zero
      "0c 01 0500 50000000", // FP64, one dimension, a name of 5, 80 bytes of data
      "0a000000", // 10 elements
      "696e707574", // "input"
      "00000000000000", // 17 bytes so far: 7 of padding
      "0000000000000000", // 0
      "000000000000f03f", // 1
      "000000000000f8bf", // -1.5
      "9a9999999999b93f", // 0.1
      "9c7500883ce4377e", // 1e300
      "0000000000001440", // 5
      "0000000000001840", // 6
      "0000000000001c40", // 7
      "0000000000002040", // 8
      "0000000000002240", // 9
    );
    expect(bytes.length / 2).toBe(152);
    expect(golden.get("predict doubles")).toBe(bytes);
  });

  it("RESULT", () => {
    const bytes = joined(
      "9c000000 11 00 2000 0700000000000000", // length 160 - 4; type 17; header of 32; id 7
      "1500 0800 0c00000000000000", // queue 12 µs
      "1600 0800 800d000000000000", // service 3,456 µs
      "1700 0400 02000000", // batch-size 2
      "02000000 00000000", // two items; the header ended at 48, a multiple of 8
      "30000000 00 00 0000", // item of 24 + 16 + 8 bytes; ok
      "2900000000000000", // item id 41
      "00000000 0100 0000", // one part
      "0d 00 0600 01000000", // BYTES without dimension, a name of 6, one byte of data
      "6f7574707574 0000", // "output", 14 bytes so far: 2 of padding
      "33 00000000000000", // "3" and padding
      "38000000 00 00 0000", // item of 24 + 16 + 16 bytes; ok
      "2a00000000000000", // item id 42
      "00000000 0100 0000", // one part
      "0d 00 0600 0b000000", // 11 bytes of data
      "6f7574707574 0000", // "output"
      "64656661756c743a20c3a9 0000000000", // "default: é" and padding
    );
    expect(bytes.length / 2).toBe(160);
    expect(golden.get("result of two items")).toBe(bytes);
  });
});
