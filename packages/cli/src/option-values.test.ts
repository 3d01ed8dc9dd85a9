import { describe, expect, it } from "vitest";
import { bytesOption, cpusOption } from "./option-values.js";

describe("bytesOption", () => {
  it.each([
    ["1", 1],
    ["2k", 2_048],
    ["512m", 512 * 2 ** 20],
    ["3G", 3 * 2 ** 30],
  ])("reads %s", (text, bytes) => {
    expect(bytesOption(text)).toBe(bytes);
  });

  it.each(["", "0", "-1", "1.5g", "m", "1t", "9999999999g"])("refuses %j", (text) => {
    expect(() => bytesOption(text)).toThrow("512m");
  });
});

describe("cpusOption", () => {
  it("takes parts of one, and refuses what is none", () => {
    expect(cpusOption("0.5")).toBe(0.5);
    for (const text of ["", "0", "-1", "many"]) expect(() => cpusOption(text)).toThrow("above 0");
  });
});
