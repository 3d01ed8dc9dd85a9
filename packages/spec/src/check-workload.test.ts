import { describe, expect, it } from "vitest";
import { checkWorkloadSpec } from "./check-workload.js";
import type { WorkloadSpec } from "./container-manager.js";

const right: WorkloadSpec = {
  id: "w-1",
  labels: { "any thing": "é".repeat(1_000) },
  program: { kind: "directory", path: "/srv/program" },
  command: ["node", "main.mjs"],
  env: { A: "1", CLIPPER_FRONTENDS: "unix:/a" },
  secretFiles: { token: new Uint8Array([1]) },
  instances: 1,
  ports: [{ name: "query", port: 0, outside: true, pinned: 1337 }],
  ready: { http: "/readyz", port: "query" },
  volume: { name: "state", mountPath: "/data" },
  resources: { cpus: 0.5, memoryBytes: 1, scratch: { bytes: 2 ** 30, executable: true } },
  graceMs: 0,
};

describe("checkWorkloadSpec", () => {
  it("accepts what is right", () => {
    expect(() => checkWorkloadSpec(right)).not.toThrow();
    expect(() =>
      checkWorkloadSpec({ ...right, program: { kind: "image", ref: "a/b:1" }, command: [] }),
    ).not.toThrow();
  });

  it.each<[string, object]>([
    ["id", { id: "A" }],
    ["labels", { labels: { a: 1 } }],
    ["program.kind", { program: { kind: "wasm" } }],
    ["program.path", { program: { kind: "directory", path: "relative" } }],
    ["program.ref", { program: { kind: "image", ref: "two words" } }],
    ["command", { command: [] }],
    ["command", { command: "node main.mjs" }],
    ["env.CLIPPER_INSTANCE", { env: { CLIPPER_INSTANCE: "x" } }],
    ["env.A-B", { env: { "A-B": "x" } }],
    ["secretFiles", { secretFiles: { "../up": new Uint8Array() } }],
    ["secretFiles.token", { secretFiles: { token: "text" } }],
    ["instances", { instances: 1.5 }],
    ["instances", { instances: 2 }],
    ["ports[1].name", { ports: [right.ports[0], right.ports[0]] }],
    ["ports[0].pinned", { ports: [{ name: "query", port: 0, outside: false, pinned: 1 }] }],
    ["ready.port", { ready: { http: "/readyz", port: "other" } }],
    ["ready.http", { ready: { http: "readyz", port: "query" } }],
    ["volume.mountPath", { volume: { name: "state", mountPath: "data" } }],
    ["resources.cpus", { resources: { cpus: Number.NaN } }],
    ["resources.scratch", { resources: { scratch: 1 } }],
    ["resources.scratch.bytes", { resources: { scratch: { bytes: 0 } } }],
    ["resources.scratch.executable", { resources: { scratch: { executable: "yes" } } }],
    ["graceMs", { graceMs: -1 }],
  ])("refuses a wrong %s", (argument, change) => {
    const wrong = { ...right, ...change } as WorkloadSpec;
    expect(() => checkWorkloadSpec(wrong)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", facts: expect.objectContaining({ argument }) }),
    );
  });
});
