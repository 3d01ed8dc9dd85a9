import { describe, expect, it } from "vitest";
import { checkName, InvalidNameError, isValidName, WORKLOAD_ID_PATTERN } from "./index.js";

describe("names", () => {
  it.each(["a", "0", "digits", "a-b", "1-2", "a".repeat(63)])("takes %j", (name) => {
    expect(isValidName(name)).toBe(true);
  });

  it.each([
    "",
    " ",
    "A",
    "a.b",
    "a_b",
    "-a",
    "a-",
    "a".repeat(64),
    ".*",
    "a/b",
    "../x",
    "ä",
    "a\n",
    "a:b",
    "a,b",
  ])("refuses %j", (name) => {
    expect(() => checkName("model", name)).toThrow(InvalidNameError);
  });

  it.each([1, null, undefined, {}, true])("refuses %j, which is no string", (name) => {
    expect(() => checkName("version", name)).toThrow(InvalidNameError);
  });

  it("keeps the query frontend's own paths from applications, and only from them", () => {
    expect(() => checkName("application", "metrics")).toThrow(/reserved/);
    expect(checkName("model", "metrics")).toBe("metrics");
  });

  it("leaves a workload's id room for a platform's suffixes", () => {
    expect(WORKLOAD_ID_PATTERN.test(`a${"b".repeat(39)}`)).toBe(true);
    expect(WORKLOAD_ID_PATTERN.test(`a${"b".repeat(40)}`)).toBe(false);
    expect(WORKLOAD_ID_PATTERN.test("1a")).toBe(false);
  });
});
