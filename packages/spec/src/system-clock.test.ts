import { describe, expect, it } from "vitest";
import { systemClock } from "./system-clock.js";

describe("the system's clock", () => {
  it("never calls a timer early, and calls it once", async () => {
    const dueMicros = systemClock.nowMicros() + 7300;
    let calls = 0;
    const calledMicros = await new Promise<number>((resolve) => {
      systemClock.after(7300, () => {
        calls += 1;
        resolve(systemClock.nowMicros());
      });
    });
    expect(calledMicros).toBeGreaterThanOrEqual(dueMicros);
    expect(calls).toBe(1);
  });

  it("does not call a timer that was called off, however short", async () => {
    const called: string[] = [];
    systemClock.after(0, () => called.push("now"))();
    systemClock.after(-5, () => called.push("past"))();
    systemClock.after(1000, () => called.push("later"))();
    await new Promise<void>((resolve) => systemClock.after(3000, resolve));
    expect(called).toEqual([]);
  });

  it("calls nothing at once, and a delay of 0 soon", async () => {
    const called: string[] = [];
    const done = Promise.all([
      new Promise<void>((resolve) =>
        systemClock.after(0, () => {
          called.push("after 0");
          resolve();
        }),
      ),
      new Promise<void>((resolve) =>
        systemClock.soon(() => {
          called.push("soon");
          resolve();
        }),
      ),
    ]);
    expect(called).toEqual([]);
    await done;
    expect(called.sort()).toEqual(["after 0", "soon"]);
  });

  it("never goes back", () => {
    let last = systemClock.nowMicros();
    for (let turn = 0; turn < 10_000; turn++) {
      const now = systemClock.nowMicros();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});
