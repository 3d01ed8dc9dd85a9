import path from "node:path";
import { InvalidArgumentError, InvalidNameError } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { type PythonClosureOptions, resolveClosureOptions } from "./closure-options.js";

const OPTIONS: PythonClosureOptions = { name: "m", inputType: "doubles", function: "f.py:predict" };

describe("resolveClosureOptions", () => {
  it("fills in the version, and finds the file", () => {
    expect(resolveClosureOptions(OPTIONS)).toMatchObject({
      model: "m",
      version: "1",
      inputType: "doubles",
      functionFile: path.resolve("f.py"),
    });
  });

  it("reads a whole number as a version, and Clipper's short input types", () => {
    expect(resolveClosureOptions({ ...OPTIONS, version: 2, inputType: "d" })).toMatchObject({
      version: "2",
      inputType: "doubles",
    });
  });

  it.each([1.5, "1.0", "", "A"])("refuses version %j", (version) => {
    expect(() => resolveClosureOptions({ ...OPTIONS, version })).toThrow(InvalidNameError);
  });

  it("takes a function of an installed module", () => {
    expect(
      resolveClosureOptions({ ...OPTIONS, function: "package.module:predict" }).functionFile,
    ).toBeUndefined();
  });

  it.each([
    "",
    "f.py",
    "f.py:",
    ":predict",
    "f.py:a b",
    "a/b:predict",
    "f.py:predict; rm",
    "mo-dule:predict",
  ])("refuses the function %j", (reference) => {
    expect(() => resolveClosureOptions({ ...OPTIONS, function: reference })).toThrow(InvalidArgumentError);
  });

  it.each([{ replicas: 5_000 }, { batchSize: Number.NaN }, { keepWarm: -1 }, { readyTimeoutMs: 0 }])(
    "refuses %o before anything is captured",
    (options) => {
      expect(() => resolveClosureOptions({ ...OPTIONS, ...options })).toThrow(InvalidArgumentError);
    },
  );

  it("refuses an input type that is none", () => {
    expect(() => resolveClosureOptions({ ...OPTIONS, inputType: "int8" })).toThrow(InvalidArgumentError);
  });
});
