import { strict as assert } from "node:assert";
import { ClipperError, InvalidArgumentError, type WorkloadSpec } from "@clipper-serving/spec";
import type { DefineTest } from "./suite.js";

/** What is wrong on every platform: one wrong value each, by the field that an error must name. */
const WRONG: readonly (readonly [field: string, change: object])[] = [
  ["id", { id: "Upper" }],
  ["id", { id: "" }],
  ["id", { id: "a".repeat(41) }],
  ["id", { id: "../up" }],
  ["labels", { labels: { a: 1 } }],
  ["program", { program: { kind: "wasm", path: "/" } }],
  ["command", { command: [1] }],
  ["command", { command: ["node", "a\0b"] }],
  ["env", { env: { "NO=NAME": "x" } }],
  ["env", { env: { A: "a\0b" } }],
  ["env", { env: { CLIPPER_INSTANCE: "mine" } }],
  ["secretFiles", { secretFiles: { "../up": new Uint8Array(1) } }],
  ["secretFiles", { secretFiles: { token: "text" } }],
  ["instances", { instances: -1 }],
  ["instances", { instances: 1.5 }],
  ["instances", { instances: 2, volume: { name: "state", mountPath: "/data" } }],
  ["ports", { ports: [{ name: "Upper", port: 0, outside: false }] }],
  ["ports", { ports: [{ name: "http", port: 70_000, outside: false }] }],
  ["ports", { ports: [{ name: "http", port: 0, outside: false, pinned: 1_337 }] }],
  ["ports", { ports: [0, 1].map(() => ({ name: "http", port: 0, outside: false })) }],
  ["ready", { ready: { http: "ready", port: "http" } }],
  ["ready", { ready: { http: "/ready", port: "nothing" } }],
  ["volume", { volume: { name: "Upper", mountPath: "/data" } }],
  ["volume", { volume: { name: "state", mountPath: "data" } }],
  ["resources", { resources: { cpus: 0 } }],
  ["resources", { resources: { memoryBytes: -1 } }],
  ["resources", { resources: { gpus: 0.5 } }],
  ["resources.scratch", { resources: { scratch: { bytes: 0 } } }],
  ["resources.scratch", { resources: { scratch: { executable: "yes" } } }],
  ["graceMs", { graceMs: Number.NaN }],
];

export function specTests(test: DefineTest): void {
  test("a spec that cannot be right is refused by the field, before anything is done", async (t) => {
    for (const [field, change] of WRONG) {
      await assert.rejects(
        t.manager.apply(t.cluster, { ...t.spec(), ...change } as WorkloadSpec),
        (error) => {
          assert.ok(InvalidArgumentError.isInstance(error), `${field} ${JSON.stringify(change)}: ${error}`);
          assert.equal(error.code, "INVALID_ARGUMENT");
          assert.ok(String(error.facts.argument).startsWith(field), `${error.facts.argument} is ${field}`);
          return true;
        },
      );
    }
    assert.deepEqual(await t.manager.list(t.cluster), []);
    assert.ok((await t.manager.clusters()).every(({ name }) => name !== t.cluster.name));
  });

  test("a refused change leaves what runs alone", async (t) => {
    const before = await t.run();
    await assert.rejects(t.manager.apply(t.cluster, t.spec({ graceMs: -1 })));
    assert.deepEqual(await t.settled(), before);
  });

  test("a cluster's name that no cluster can have is refused", async (t) => {
    for (const name of ["", "Upper", "../up", "a".repeat(64)]) {
      await assert.rejects(t.manager.apply({ name }, t.spec()), (error) => {
        return ClipperError.isInstance(error) && ["INVALID_NAME", "INVALID_ARGUMENT"].includes(error.code);
      });
    }
  });
}
