import { expect, it } from "vitest";
import { NumberMemory } from "./number-memory.js";

it("gives every input room of its own, aligned for its numbers, whatever was asked for before", () => {
  const memory = new NumberMemory();
  const all = Array.from({ length: 10_000 }, (_, index) => {
    const Values = [Float64Array, Float32Array, Int32Array][index % 3]!;
    return memory.take<Float64Array | Float32Array | Int32Array>(Values, 1 + (index % 7)).fill(index);
  });
  all.forEach((values, index) => {
    expect(values.length).toBe(1 + (index % 7));
    expect(values.every((value) => value === index)).toBe(true);
  });
});

it("gives a large input memory that no other shares", () => {
  const values = new NumberMemory().take(Float64Array, 100_000);
  expect(values.buffer.byteLength).toBe(800_000);
});
