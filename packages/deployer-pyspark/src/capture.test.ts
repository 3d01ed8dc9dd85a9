import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { findPython } from "@clipper-serving/deployer-python/pipeline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { captureModel } from "./capture.js";
import { resolvePysparkOptions } from "./pyspark-options.js";

describe("captureModel", () => {
  let scratch: string;

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "clipper-capture-"));
  });

  afterEach(() => rm(scratch, { recursive: true, force: true }));

  it("hands over a sample of 3 MB whole", async () => {
    // The last element is what is wrong with it: it is refused for that before Spark is looked for.
    const sample = [...Array<number>(500_000).fill(0.125), "x"];
    const options = resolvePysparkOptions({ name: "m", inputType: "doubles", build: "train.py:build" });
    const python = await findPython({});
    const capture = captureModel({ options, sample, python, directory: path.join(scratch, "bundle") }, {});
    await expect(capture).rejects.toMatchObject({
      code: "INVALID_SAMPLE",
      message: expect.stringContaining("element 500000"),
    });
  }, 30_000);
});
