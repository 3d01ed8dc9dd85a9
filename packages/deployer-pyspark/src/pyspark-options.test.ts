import path from "node:path";
import { InvalidArgumentError } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { type PysparkModelOptions, resolvePysparkOptions } from "./pyspark-options.js";

const COMMON = { name: "m", inputType: "d" } as const;
const SAVED = { ...COMMON, modelPath: "models/m", function: "f.py:predict" };
const BUILD = { ...COMMON, build: "train.py:build" };

describe("resolvePysparkOptions", () => {
  it("takes a saved model with its function, from anywhere", () => {
    expect(resolvePysparkOptions(SAVED)).toEqual({
      model: "m",
      version: "1",
      inputType: "doubles",
      reference: "f.py:predict",
      functionFile: path.resolve("f.py"),
      source: ["--model-path", path.resolve("models/m"), "--function", "f.py:predict"],
      spark: {},
    });
  });

  it("takes a training script", () => {
    expect(resolvePysparkOptions(BUILD)).toMatchObject({
      functionFile: path.resolve("train.py"),
      source: ["--build", "train.py:build"],
    });
  });

  it.each<[string, object]>([
    ["modelPath", COMMON],
    ["modelPath", { ...SAVED, modelPath: "" }],
    ["modelPath", { ...BUILD, modelPath: "models/m" }],
    ["modelClass", { ...BUILD, modelClass: "pyspark.ml.PipelineModel" }],
    ["function", { ...SAVED, function: undefined }],
    ["function", { ...SAVED, function: "f.py" }],
    ["build", { ...BUILD, build: "train.py:" }],
    ["inputType", { ...BUILD, inputType: "int8" }],
    ["spark.threads", { ...BUILD, spark: { threads: 1.5 } }],
    ["spark.conf", { ...BUILD, spark: { conf: { "driver.memory": "1g" } } }],
    ["spark.conf", { ...BUILD, spark: { conf: { "spark.driver.cores": 1 } } }],
  ])("refuses a wrong %s", (argument, options) => {
    const resolve = () => resolvePysparkOptions(options as PysparkModelOptions);
    expect(resolve).toThrow(InvalidArgumentError);
    expect(resolve).toThrow(expect.objectContaining({ facts: expect.objectContaining({ argument }) }));
  });
});
