import { describe, expect, it } from "vitest";
import { table } from "./output.js";

describe("table", () => {
  it("makes columns as wide as their longest cell, without spaces at the end", () => {
    expect(
      table(
        ["A", "LONG"],
        [
          ["wide cell", "x"],
          ["y", ""],
        ],
      ),
    ).toBe("A          LONG\nwide cell  x\ny");
  });
});
