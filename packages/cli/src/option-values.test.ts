import { describe, expect, it } from "vitest";
import { bytesOption, cpusOption, imageNames, imageOption } from "./option-values.js";

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

describe("imageOption", () => {
  it("gathers names of images, each for what it is the base of", () => {
    const given = ["frontend=f", "redis=r", "python:3.11=box:5000/p:1", "pyspark:3.11=j", "pyspark:3.12=k"];
    const gathered = given.reduce<Record<string, string>>((all, text) => imageOption(text, all), {});
    expect(imageNames(gathered)).toEqual({
      frontend: "f",
      redis: "r",
      python: { "3.11": "box:5000/p:1" },
      pyspark: { "3.11": "j", "3.12": "k" },
    });
  });

  it.each(["nginx=r", "pyspark=r", "pyspark:3=r", "python:3.11", "frontend= r"])("refuses %j", (text) => {
    expect(() => imageOption(text)).toThrow("pyspark:MINOR=REF");
  });
});

describe("cpusOption", () => {
  it("takes parts of one, and refuses what is none", () => {
    expect(cpusOption("0.5")).toBe(0.5);
    for (const text of ["", "0", "-1", "many"]) expect(() => cpusOption(text)).toThrow("above 0");
  });
});
