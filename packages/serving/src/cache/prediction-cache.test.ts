import { textOf, textPayload } from "@clipper-serving/testing";
import fc from "fast-check";
import { expect, it } from "vitest";
import { textInput } from "../test-support/states.js";
import { InputKey } from "./input-key.js";
import { PredictionCache } from "./prediction-cache.js";

const owner = 1;

/** Texts of like length share a bucket. */
function keyOf(text: string): InputKey {
  return new InputKey(text.length, Number.parseInt(text.slice(0, 6), 36), 0, -1);
}

function put(cache: PredictionCache, text: string, output: string, who = owner): void {
  cache.put(keyOf(text), who, textInput(text), textPayload(output));
}

function outputOf(cache: PredictionCache, text: string, who = owner): string | undefined {
  const outcome = cache.get(keyOf(text), who, textInput(text));
  return outcome?.ok ? textOf(outcome.output) : undefined;
}

it("never gives a wrong answer and never exceeds its bytes, whatever is put, asked for and forgotten", () => {
  const step = fc.record({
    kind: fc.constantFrom("put", "put", "get", "forget"),
    text: fc.integer({ min: 0, max: 30 }).map(String),
    size: fc.integer({ min: 0, max: 3_000 }),
    who: fc.constantFrom(1, 2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 0, max: 10_000 }), (steps, limit) => {
      const cache = new PredictionCache(limit);
      const last = new Map<string, string>();
      for (const { kind, text, size, who } of steps) {
        if (kind === "put") {
          const output = `${who}/${text}`.padEnd(size, "!");
          put(cache, text, output, who);
          last.set(`${who}/${text}`, output);
        } else if (kind === "forget" && size < 300) {
          cache.removeOf(who);
          expect(outputOf(cache, text, who)).toBeUndefined();
        } else {
          expect([undefined, last.get(`${who}/${text}`)]).toContain(outputOf(cache, text, who));
        }
        expect(cache.bytes).toBeLessThanOrEqual(limit);
        expect(cache.size === 0).toBe(cache.bytes === 0);
      }
      cache.removeOf(1);
      cache.removeOf(2);
      expect(cache.bytes).toBe(0);
    }),
  );
});

it("finds everything it was given while there is room, with the newest answer to each", () => {
  const cache = new PredictionCache(100_000);
  for (const round of ["first", "second"]) {
    for (let text = 0; text < 100; text++) put(cache, String(text), `${round} ${text}`);
    expect(cache.size).toBe(100);
    for (let text = 0; text < 100; text++) expect(outputOf(cache, String(text))).toBe(`${round} ${text}`);
  }
});

it("gives back payloads of any shape as they were", () => {
  const cache = new PredictionCache(100_000);
  const key = keyOf("shapes");
  const payload = {
    parts: [
      { name: "größe", datatype: "FP64", shape: [2, 1], data: new Uint8Array(16).fill(7) },
      { name: "", datatype: "BYTES", shape: [], data: new Uint8Array(0) },
      { name: "x", datatype: "UINT8", shape: [0, 2 ** 40], data: new Uint8Array(3).fill(9) },
    ],
  } as const;
  cache.put(key, owner, payload, payload);
  cache.put(key, owner, { parts: [] }, { parts: [] });
  expect(cache.get(key, owner, payload)).toEqual({ ok: true, output: payload, cached: true });
  expect(cache.get(key, owner, { parts: [] })).toEqual({ ok: true, output: { parts: [] }, cached: true });
  expect(cache.get(key, owner, { parts: payload.parts.slice(0, 2) })).toBeUndefined();
});

it("takes two inputs of one key for what they are", () => {
  const cache = new PredictionCache(10_000);
  const key = keyOf("key");
  cache.put(key, owner, textInput("a"), textPayload("A"));
  expect(cache.get(key, owner, textInput("b"))).toBeUndefined();
  expect(cache.get(key, 2, textInput("a"))).toBeUndefined();
  expect(cache.get(key, owner, textInput("a"))).toMatchObject({ ok: true, cached: true });
});

it("keeps what is asked for and drops what is not", () => {
  const cache = new PredictionCache(2_000);
  put(cache, "popular", "yes");
  for (let other = 0; other < 100; other++) {
    expect(outputOf(cache, "popular")).toBe("yes");
    put(cache, String(other), "once");
  }
  expect(cache.size).toBeLessThan(20);
  expect(outputOf(cache, "0")).toBeUndefined();
});

it("still takes what is new when all it has is asked for", () => {
  const cache = new PredictionCache(10_000);
  for (let text = 0; text < 300; text++) {
    put(cache, String(text), "yes");
    for (let back = 0; back < 100; back++) outputOf(cache, String(text - back));
  }
  expect(outputOf(cache, "299")).toBe("yes");
});

it("makes room for a large answer by dropping several, and keeps none larger than itself", () => {
  const cache = new PredictionCache(20_000);
  for (let other = 0; other < 200; other++) put(cache, String(other), "small");
  put(cache, "large", "L".repeat(15_000));
  expect(cache.bytes).toBeLessThanOrEqual(20_000);
  expect(outputOf(cache, "large")).toHaveLength(15_000);
  put(cache, "huge", "H".repeat(30_000));
  expect(outputOf(cache, "huge")).toBeUndefined();
  expect(outputOf(cache, "large")).toHaveLength(15_000);
});

it("keeps bytes of its own, not the frame they came in", () => {
  const cache = new PredictionCache(10_000);
  const frame = new Uint8Array(1_000_000);
  const part = { name: "output", datatype: "BYTES", shape: [], data: frame.subarray(10, 13) } as const;
  cache.put(keyOf("a"), owner, textInput("a"), { parts: [part] });
  const kept = cache.get(keyOf("a"), owner, textInput("a"));
  expect(kept?.ok && kept.output.parts[0]?.data.buffer.byteLength).toBe(3);
});
