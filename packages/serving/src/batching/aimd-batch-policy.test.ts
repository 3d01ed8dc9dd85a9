import { ManualClock } from "@clipper-serving/testing";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { AimdBatchPolicy } from "./aimd-batch-policy.js";
import { FixedBatchPolicy } from "./fixed-batch-policy.js";

let clock: ManualClock;
let policy: AimdBatchPolicy;

beforeEach(() => {
  clock = new ManualClock();
  policy = new AimdBatchPolicy({ clock, sloMicros: () => 100_000 });
});

function observe(batchSize: number, serviceMicros: number, saturated = true): void {
  policy.observe({ batchSize, serviceMicros, roundTripMicros: serviceMicros + 500, saturated });
}

/** Two batches of which nothing is learnt. */
function warmUp(): void {
  observe(1, 1_000);
  observe(1, 1_000);
}

describe("the limit", () => {
  it("starts at one and learns nothing from the first two batches", () => {
    expect(policy.limit()).toBe(1);
    observe(1, 5_000_000);
    observe(1, 5_000_000);
    expect(policy.limit()).toBe(1);
    expect(policy.estimateMicros(1)).toBeUndefined();
  });

  it("starts at the largest batch that fitted half the objective when the version was tried", () => {
    const floor = [
      { batchSize: 1, p50Micros: 30_000, p99Micros: 40_000 },
      { batchSize: 8, p50Micros: 31_000, p99Micros: 45_000 },
      { batchSize: 64, p50Micros: 45_000, p99Micros: 60_000 },
    ];
    policy = new AimdBatchPolicy({ clock, sloMicros: () => 100_000, floor });
    expect(policy.limit()).toBe(8);
    warmUp();
    observe(8, 40_000);
    expect(policy.limit()).toBe(16);
    expect(new AimdBatchPolicy({ clock, sloMicros: () => 1_000, floor }).limit()).toBe(1);
  });

  it("doubles until a batch takes more than half the objective, halves, and then grows by one", () => {
    warmUp();
    const limits: number[] = [];
    for (let batch = 0; batch < 9; batch++) {
      observe(policy.limit(), policy.limit() * 1_500);
      limits.push(policy.limit());
    }
    expect(limits).toEqual([2, 4, 8, 16, 32, 64, 32, 33, 34]);
  });

  it("falls by a tenth when a batch is over the budget later on", () => {
    warmUp();
    for (let batch = 0; batch < 7; batch++) observe(policy.limit(), policy.limit() * 1_500);
    expect(policy.limit()).toBe(32);
    observe(32, 60_000);
    expect(policy.limit()).toBe(28);
  });

  it("does not grow by batches that held all there was, nor by ones smaller than it", () => {
    warmUp();
    observe(1, 100, false);
    expect(policy.limit()).toBe(1);
    observe(1, 100);
    observe(1, 100);
    expect(policy.limit()).toBe(2);
  });

  it("is a whole number from one to its most, whatever is observed", () => {
    const observation = fc.record({
      batchSize: fc.integer({ min: 1, max: 5_000 }),
      serviceMicros: fc.double({ min: 0, max: 1e9, noNaN: true }),
      roundTripMicros: fc.double({ min: 0, max: 1e9, noNaN: true }),
      saturated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 100 }), (observations) => {
        const any = new AimdBatchPolicy({ clock, sloMicros: () => 20_000, mostInputs: 64 });
        for (const each of observations) {
          any.observe(each);
          expect(Number.isInteger(any.limit())).toBe(true);
          expect(any.limit()).toBeGreaterThanOrEqual(1);
          expect(any.limit()).toBeLessThanOrEqual(64);
          const [small, large] = [any.estimateMicros(1), any.estimateMicros(64)];
          if (small === undefined || large === undefined) continue;
          expect(small).toBeGreaterThanOrEqual(0);
          expect(large).toBeGreaterThanOrEqual(small);
        }
      }),
    );
  });
});

describe("the estimate", () => {
  it("follows a fixed cost and a cost for each input", () => {
    warmUp();
    for (const size of [1, 2, 4, 8, 4, 2, 1]) observe(size, 5_000 + 300 * size);
    expect(policy.estimateMicros(1)).toBeCloseTo(5_300, -1);
    expect(policy.estimateMicros(20)).toBeCloseTo(11_000, -1);
  });

  it("grows more hopeful while nothing is measured, and is forgotten in the end", () => {
    warmUp();
    observe(1, 80_000);
    clock.advance(2_000_000);
    expect(policy.estimateMicros(1)).toBe(80_000);
    clock.advance(2_000_000);
    expect(policy.estimateMicros(1)).toBe(40_000);
    clock.advance(20_000_000);
    expect(policy.estimateMicros(1)).toBeUndefined();
    observe(1, 5_000);
    expect(policy.estimateMicros(1)).toBe(5_000);
  });
});

it("a fixed policy keeps its size and estimates all the same", () => {
  const fixed = new FixedBatchPolicy({ clock, batchSize: 7 });
  for (let batch = 0; batch < 3; batch++) {
    fixed.observe({ batchSize: 7, serviceMicros: 70_000, roundTripMicros: 71_000, saturated: true });
    expect(fixed.limit()).toBe(7);
  }
  expect(fixed.estimateMicros(14)).toBeCloseTo(140_000);
});
