import { ManualClock } from "@clipper-serving/testing";
import { describe, expect, it } from "vitest";
import { AttemptLimiter } from "./attempt-limiter.js";

describe("AttemptLimiter", () => {
  it("locks a peer after so many wrong attempts, for a while, and no other", () => {
    const clock = new ManualClock();
    const limiter = new AttemptLimiter({ clock, attempts: 3, lockMs: 5_000 });
    expect([1, 2, 3].map(() => limiter.wrong("a"))).toEqual([0, 0, 0]);
    clock.advance(1_000_000);
    expect(limiter.wrong("a")).toBe(4_000);
    expect(limiter.wrong("b")).toBe(0);
    clock.advance(4_000_000);
    expect(limiter.wrong("a")).toBe(0);
  });

  it("forgets slow mistakes", () => {
    const clock = new ManualClock();
    const limiter = new AttemptLimiter({ clock, attempts: 2, lockMs: 1_000 });
    for (let mistake = 0; mistake < 10; mistake++) {
      expect(limiter.wrong("a")).toBe(0);
      clock.advance(2_000_000);
    }
  });

  it("remembers a bounded number of peers", () => {
    const limiter = new AttemptLimiter({ clock: new ManualClock(), attempts: 1, peers: 2 });
    expect(limiter.wrong("a")).toBe(0);
    expect(limiter.wrong("b")).toBe(0);
    expect(limiter.wrong("c")).toBe(0);
    expect(limiter.wrong("b")).toBeGreaterThan(0);
    expect(limiter.wrong("a")).toBe(0);
  });
});
