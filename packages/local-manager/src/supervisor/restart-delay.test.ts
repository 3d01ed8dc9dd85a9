import { expect, it } from "vitest";
import { RestartDelay } from "./restart-delay.js";

it("doubles from 0.1 s to 10 s, and begins again after a long run", () => {
  const delay = new RestartDelay();
  const delays = Array.from({ length: 9 }, () => delay.next(50));
  expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  expect(delay.isCrashLoop).toBe(true);
  expect(delay.next(30_000)).toBe(100);
  expect(delay.isCrashLoop).toBe(false);
});
