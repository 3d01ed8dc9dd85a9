import { expect, it } from "vitest";
import { mapAtOnce } from "./at-once.js";

it("keeps the order, and no more than so many under way", async () => {
  let underWay = 0;
  let most = 0;
  const results = await mapAtOnce([5, 1, 4, 2, 3], 2, async (turns) => {
    underWay += 1;
    most = Math.max(most, underWay);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    underWay -= 1;
    return turns * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30]);
  expect(most).toBe(2);
});

it("begins nothing more after a failure", async () => {
  const begun: number[] = [];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 2) throw new TypeError("two");
  };
  await expect(mapAtOnce([1, 2, 3, 4], 1, work)).rejects.toThrow("two");
  expect(begun).toEqual([1, 2]);
});
