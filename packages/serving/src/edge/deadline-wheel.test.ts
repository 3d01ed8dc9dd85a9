import { ManualClock } from "@clipper-serving/testing";
import fc from "fast-check";
import { expect, it } from "vitest";
import { DeadlineWheel, type WheelItem } from "./deadline-wheel.js";

class Item implements WheelItem<Item> {
  readonly deadlineMicros: number;
  toldMicros: number | undefined;
  wheelTick = 0;
  wheelNext: Item | undefined;
  wheelPrevious: Item | undefined;

  constructor(deadlineMicros: number) {
    this.deadlineMicros = deadlineMicros;
  }
}

function wheelOn(clock: ManualClock): DeadlineWheel<Item> {
  return new DeadlineWheel<Item>({
    clock,
    onDue: (item) => {
      expect(item.toldMicros).toBeUndefined();
      item.toldMicros = clock.nowMicros();
    },
  });
}

it("tells every deadline once, at it or within a millisecond after, and none that was taken out", () => {
  const step = fc.record({
    waitMicros: fc.integer({ min: 0, max: 40_000 }),
    delayMicros: fc.oneof(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 1, max: 4_000_000 })),
    isRemoved: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new ManualClock();
      const wheel = wheelOn(clock);
      const kept: Item[] = [];
      const removed: Item[] = [];
      for (const { waitMicros, delayMicros, isRemoved } of steps) {
        clock.advance(waitMicros);
        const item = new Item(clock.nowMicros() + delayMicros);
        wheel.add(item);
        if (!isRemoved) kept.push(item);
        else {
          wheel.remove(item);
          removed.push(item);
        }
      }
      clock.advance(5_000_000);
      expect(wheel.size).toBe(0);
      expect(removed.every(({ toldMicros }) => toldMicros === undefined)).toBe(true);
      for (const { deadlineMicros, toldMicros } of kept) {
        expect(toldMicros).toBeGreaterThanOrEqual(deadlineMicros);
        expect(toldMicros).toBeLessThanOrEqual(deadlineMicros + 1_000);
      }
    }),
  );
});

it("sets one timer for many deadlines", () => {
  const clock = new ManualClock();
  let timers = 0;
  const counting = Object.assign(Object.create(clock) as ManualClock, {
    nowMicros: () => clock.nowMicros(),
    after: (delayMicros: number, callback: () => void) => {
      timers++;
      return clock.after(delayMicros, callback);
    },
  });
  const wheel = wheelOn(counting);
  for (let index = 0; index < 1_000; index++) wheel.add(new Item(clock.nowMicros() + 100_000 + index));
  expect(timers).toBe(1);
});
