import { describe, expect, it } from "vitest";
import { canonicalJson, type WorkloadSpec, workloadDigest } from "./index.js";

const SPEC: WorkloadSpec = {
  id: "w",
  labels: { a: "1", b: "2" },
  program: { kind: "directory", path: "/srv" },
  command: ["run"],
  env: { X: "1" },
  secretFiles: { token: Buffer.from("s3cret") },
  instances: 1,
  ports: [],
  ready: "running",
  resources: {},
  graceMs: 1000,
};

describe("workloadDigest", () => {
  it("does not depend on the order of keys, nor on the count", () => {
    expect(workloadDigest({ ...SPEC, labels: { b: "2", a: "1" }, instances: 4 })).toBe(workloadDigest(SPEC));
  });

  it.each<Partial<WorkloadSpec>>([
    { command: ["run", "it"] },
    { env: { X: "2" } },
    { secretFiles: { token: Buffer.from("other") } },
    { program: { kind: "directory", path: "/srv2" } },
    { overlay: { extra: true } },
  ])("differs for %j", (change) => {
    expect(workloadDigest({ ...SPEC, ...change })).not.toBe(workloadDigest(SPEC));
  });

  it("sorts the keys of nested objects and leaves arrays in order", () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }, 3], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1},3]}');
  });
});
