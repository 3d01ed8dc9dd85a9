import { strict as assert } from "node:assert";
import { UnsupportedError } from "@clipper-serving/spec";
import type { DefineTest } from "./suite.js";

const isUnsupported = (error: unknown): boolean => UnsupportedError.isInstance(error);

export function capabilityTests(test: DefineTest): void {
  test("it says what it is", async (t) => {
    assert.equal(t.manager.specVersion, 1);
    assert.match(t.manager.name, /^[a-z][-a-z0-9]*$/);
    assert.equal(t.manager.capabilities.program, t.options.program.kind);
  });

  test("facts tell what a build must match", async (t) => {
    const facts = await t.manager.facts();
    assert.ok(facts.platforms.length > 0);
    for (const platform of facts.platforms) assert.match(platform, /^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/);
    for (const { minor, path } of facts.pythons) {
      assert.match(minor, /^3\.\d+$/);
      assert.match(path, /^\//);
    }
    if (!t.manager.capabilities.gpus) assert.equal(facts.gpus, 0);
  });

  test("a program of the other kind is refused", async (t) => {
    const program =
      t.manager.capabilities.program === "directory"
        ? ({ kind: "image", ref: "example/any:1" } as const)
        : ({ kind: "directory", path: "/tmp" } as const);
    await assert.rejects(t.manager.apply(t.cluster, t.spec({ program })), isUnsupported);
    assert.deepEqual(await t.manager.list(t.cluster), []);
  });

  test("GPUs are refused where there are none", async (t) => {
    if (t.manager.capabilities.gpus) return;
    await assert.rejects(t.manager.apply(t.cluster, t.spec({ resources: { gpus: 1 } })), isUnsupported);
    assert.deepEqual(await t.manager.list(t.cluster), []);
  });

  test("images can be put exactly where programs are images", async (t) => {
    if (t.manager.capabilities.program === "directory") assert.equal(t.manager.images, undefined);
  });
}
