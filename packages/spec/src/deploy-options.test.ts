import { describe, expect, it } from "vitest";
import { checkDeployOptions, type DeployOptions, toSloMicros } from "./deploy-options.js";
import { InvalidArgumentError } from "./errors/usage-errors.js";

describe("checkDeployOptions", () => {
  it.each<DeployOptions>([
    {},
    { replicas: 0, batchSize: -1, keepWarm: 0, labels: [] },
    { replicas: 1_000, batchSize: 65_536, keepWarm: 1_000, readyTimeoutMs: 0.5, labels: ["best", "ü"] },
    { resources: { cpus: 0.5, scratch: { bytes: 1, executable: false } } },
  ])("takes %j", (options) => {
    expect(() => checkDeployOptions(options)).not.toThrow();
  });

  it.each([
    { replicas: -1 },
    { replicas: 1.5 },
    { replicas: Number.NaN },
    { replicas: "2" },
    { replicas: 1_001 },
    { batchSize: 0 },
    { batchSize: Number.NaN },
    { batchSize: 65_537 },
    { keepWarm: -1 },
    { keepWarm: 1_001 },
    { readyTimeoutMs: 0 },
    { readyTimeoutMs: Number.POSITIVE_INFINITY },
    { labels: ["a,b"] },
    { labels: ["a:b"] },
    { labels: [1] },
    { labels: "best" },
    { resources: { cpus: 0 } },
    { resources: { scratch: { bytes: -1 } } },
  ])("refuses %o", (options) => {
    expect(() => checkDeployOptions(options as DeployOptions)).toThrow(InvalidArgumentError);
  });
});

describe("toSloMicros", () => {
  it("gives whole microseconds", () => {
    expect([0.001, 1.0004, 3_000, 2_147_483.647].map(toSloMicros)).toEqual([
      1,
      1_000,
      3_000_000,
      2 ** 31 - 1,
    ]);
  });

  it.each([0, -1, 0.0001, 2_147_483.648, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d ms", (sloMs) => {
    expect(() => toSloMicros(sloMs)).toThrow(InvalidArgumentError);
  });
});
