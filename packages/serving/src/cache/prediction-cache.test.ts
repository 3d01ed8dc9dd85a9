import { textOf, textPayload } from "@clipper-serving/testing";
import fc from "fast-check";
import { expect, it } from "vitest";
import { textInput } from "../test-support/states.js";
import { PredictionCache } from "./prediction-cache.js";

const owner = {};

function outputOf(cache: PredictionCache, text: string, who: object = owner): string | undefined {
  const outcome = cache.get(text, who, textInput(text));
  return outcome?.ok ? textOf(outcome.output) : undefined;
}

it("never gives a wrong answer and never exceeds its bytes, whatever is put, asked for and forgotten", () => {
  const owners = [{}, {}];
  const step = fc.record({
    kind: fc.constantFrom("put", "get", "forget"),
    text: fc.integer({ min: 0, max: 30 }).map(String),
    size: fc.integer({ min: 0, max: 3_000 }),
    who: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 0, max: 10_000 }), (steps, limit) => {
      const cache = new PredictionCache(limit);
      for (const { kind, text, size, who } of steps) {
        const by = owners[who]!;
        const key = `${who}/${text}`;
        if (kind === "put")
          cache.put(key, by, textInput(text), textPayload(`${who}${text}`.padEnd(size, "!")));
        else if (kind === "forget" && size < 300) cache.removeOf(by);
        else {
          const kept = cache.get(key, by, textInput(text));
          if (kept?.ok) expect(textOf(kept.output).replace(/!+$/, "")).toBe(`${who}${text}`);
        }
        expect(cache.bytes).toBeLessThanOrEqual(limit);
        expect(cache.size === 0).toBe(cache.bytes === 0);
      }
      for (const by of owners) cache.removeOf(by);
      expect(cache.bytes).toBe(0);
    }),
  );
});

it("takes two inputs of one key for what they are", () => {
  const cache = new PredictionCache(10_000);
  cache.put("key", owner, textInput("a"), textPayload("A"));
  expect(cache.get("key", owner, textInput("b"))).toBeUndefined();
  expect(cache.get("key", {}, textInput("a"))).toBeUndefined();
  expect(cache.get("key", owner, textInput("a"))).toMatchObject({ ok: true, cached: true });
});

it("keeps what is asked for and drops what is not", () => {
  const cache = new PredictionCache(8_000);
  cache.put("popular", owner, textInput("popular"), textPayload("yes"));
  for (let other = 0; other < 100; other++) {
    expect(outputOf(cache, "popular")).toBe("yes");
    cache.put(String(other), owner, textInput(String(other)), textPayload("once"));
  }
  expect(cache.size).toBeLessThan(12);
  expect(outputOf(cache, "0")).toBeUndefined();
});

it("makes room for a large answer by dropping several, and keeps none larger than itself", () => {
  const cache = new PredictionCache(20_000);
  for (let other = 0; other < 20; other++)
    cache.put(String(other), owner, textInput("x"), textPayload("small"));
  cache.put("large", owner, textInput("large"), textPayload("L".repeat(15_000)));
  expect(cache.bytes).toBeLessThanOrEqual(20_000);
  expect(outputOf(cache, "large")).toHaveLength(15_000);
  cache.put("huge", owner, textInput("huge"), textPayload("H".repeat(30_000)));
  expect(outputOf(cache, "huge")).toBeUndefined();
  expect(outputOf(cache, "large")).toHaveLength(15_000);
});

it("keeps bytes of its own, not the frame they came in", () => {
  const cache = new PredictionCache(10_000);
  const frame = new Uint8Array(1_000_000);
  const part = { name: "output", datatype: "BYTES", shape: [], data: frame.subarray(10, 13) } as const;
  cache.put("a", owner, textInput("a"), { parts: [part] });
  const kept = cache.get("a", owner, textInput("a"));
  expect(kept?.ok && kept.output.parts[0]?.data.buffer.byteLength).toBe(3);
});
