import { expect, it } from "vitest";
import { ManualClock } from "./manual-clock.js";

it("runs due timers in order of time, those of one time in the order they were set, each at its own time", () => {
  const clock = new ManualClock(0);
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(`${name}@${clock.nowMicros()}`);
  clock.after(20, note("c"));
  clock.after(10, note("a"));
  clock.after(10, note("b"));
  clock.after(31, note("late"));
  clock.advance(30);
  expect(seen).toEqual(["a@10", "b@10", "c@20"]);
  expect(clock.nowMicros()).toBe(30);
  expect(clock.nextTimerMicros()).toBe(31);
});

it("runs a timer set by a timer when it falls due on the way", () => {
  const clock = new ManualClock(0);
  const seen: number[] = [];
  clock.after(5, () => clock.after(5, () => seen.push(clock.nowMicros())));
  clock.advance(10);
  expect(seen).toEqual([10]);
});

it("never runs a timer that was called off", () => {
  const clock = new ManualClock();
  let ran = false;
  const cancel = clock.after(5, () => {
    ran = true;
  });
  cancel();
  clock.advance(10);
  expect(ran).toBe(false);
  expect(clock.nextTimerMicros()).toBeUndefined();
});

it("puts off what soon is given, and runs it before the next timer", () => {
  const clock = new ManualClock(0);
  const seen: string[] = [];
  clock.after(1, () => {
    clock.soon(() => seen.push("soon"));
    seen.push("first");
  });
  clock.after(1, () => seen.push("second"));
  expect(seen).toEqual([]);
  clock.advance(1);
  expect(seen).toEqual(["first", "soon", "second"]);
});

it("settles promises between timers when asked to", async () => {
  const clock = new ManualClock(0);
  const seen: string[] = [];
  clock.after(1, () => void Promise.resolve().then(() => clock.soon(() => seen.push("after promise"))));
  clock.after(2, () => seen.push("next timer"));
  await clock.advanceAsync(2);
  expect(seen).toEqual(["after promise", "next timer"]);
});
