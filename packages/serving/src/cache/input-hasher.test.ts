import type { Payload } from "@clipper-serving/spec";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Dice } from "../test-support/simulation/dice.js";
import { InputHasher } from "./input-hasher.js";
import { isSamePayload } from "./payloads.js";

const hasher = new InputHasher(new Dice(1).roll, "model:1:doubles");

function payload(data: Uint8Array, over: Partial<Payload["parts"][number]> = {}): Payload {
  return { parts: [{ name: "input", datatype: "UINT8", shape: [data.length], data, ...over }] };
}

it("gives keys of sixteen bytes, one for equal inputs wherever their bytes lie", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.integer({ min: 0, max: 9 }), (data, offset) => {
      const elsewhere = new Uint8Array(data.length + 16);
      elsewhere.set(data, offset);
      const view = elsewhere.subarray(offset, offset + data.length);
      const key = hasher.key(payload(data));
      expect(String(key)).toHaveLength(8);
      expect(hasher.key(payload(view)).equals(key)).toBe(true);
      expect(isSamePayload(payload(data), payload(view))).toBe(true);
    }),
  );
});

it("gives another key for every single bit that differs", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.nat(), (data, at) => {
      const other = data.slice();
      const bit = at % (data.length * 8);
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(hasher.key(payload(other)).equals(hasher.key(payload(data)))).toBe(false);
      expect(isSamePayload(payload(other), payload(data))).toBe(false);
    }),
  );
});

it("tells apart lengths, shapes, names and datatypes over equal bytes", () => {
  const zeros = (length: number, over = {}): Payload => payload(new Uint8Array(length), over);
  const inputs = [
    zeros(0),
    zeros(1),
    zeros(15),
    zeros(16),
    zeros(17),
    zeros(16, { shape: [4, 4] }),
    zeros(16, { shape: [2, 8] }),
    zeros(16, { shape: [8, 2] }),
    zeros(16, { datatype: "INT8" }),
    zeros(16, { name: "output" }),
    { parts: [] },
  ];
  expect(new Set(inputs.map((input) => String(hasher.key(input)))).size).toBe(inputs.length);
});

it("tells apart a hundred thousand inputs, long ones of one length included", () => {
  const keys = new Set<string>();
  const data = new Uint8Array(64);
  const long = new Uint8Array(40_000);
  for (let index = 0; index < 100_000; index++) {
    new DataView(data.buffer).setFloat64(8, index);
    keys.add(String(hasher.key(payload(data))));
  }
  for (let index = 0; index < 200; index++) {
    long[39_999] = index;
    keys.add(String(hasher.key(payload(long))));
  }
  expect(keys.size).toBe(100_200);
});

it("gives other keys to another scope and to another seed", () => {
  const input = payload(new Uint8Array(8));
  const keys = [
    new InputHasher(new Dice(1).roll, "model:1:doubles"),
    new InputHasher(new Dice(1).roll, "model:2:doubles"),
    new InputHasher(new Dice(2).roll, "model:1:doubles"),
  ].map((each) => String(each.key(input)));
  expect(new Set(keys).size).toBe(3);
  expect(keys[0]).toBe(String(hasher.key(input)));
});
