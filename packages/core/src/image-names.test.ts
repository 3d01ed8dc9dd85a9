import { describe, expect, it } from "vitest";
import { mergeImageNames, pysparkBase, pythonBase } from "./image-names.js";

const locked = { pythonMinor: "3.11", pyspark: { version: "4.1.1", javaMajor: 17 } };

describe("the base of a PySpark model", () => {
  it("is the one named for it, else the one that is named for Python", () => {
    const python = { "3.11": "team/python:3.11" };
    expect(pysparkBase({ python, pyspark: { "3.11": "team/spark:3.11" } }, locked)).toBe("team/spark:3.11");
    expect(pysparkBase({ python }, locked)).toBe("team/python:3.11");
  });

  it("has no default, and the refusal says how to make one", () => {
    const pyspark = { "3.12": "team/spark:3.12" };
    expect(pythonBase({ pyspark }, "3.11")).toBe("python:3.11-slim");
    expect(() => pysparkBase({ pyspark }, locked)).toThrow(
      expect.objectContaining({
        code: "JAVA_MISSING",
        message:
          "PySpark 4.1.1 on Python 3.11 is to be served by Java 17, and no image that has both is named",
        hint: expect.stringContaining("openjdk-17-jre-headless"),
      }),
    );
  });
});

it("names that are given anew leave the others as they were", () => {
  const known = { frontend: "f", python: { "3.10": "a", "3.11": "b" }, pyspark: { "3.11": "c" } };
  expect(mergeImageNames(known, { python: { "3.11": "d" }, pyspark: { "3.12": "e" } })).toEqual({
    frontend: "f",
    python: { "3.10": "a", "3.11": "d" },
    pyspark: { "3.11": "c", "3.12": "e" },
  });
});
