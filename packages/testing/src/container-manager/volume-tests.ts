import { strict as assert } from "node:assert";
import { UnsupportedError, type WorkloadSpec } from "@clipper-serving/spec";
import type { DefineTest } from "./suite.js";

const VOLUME: Pick<WorkloadSpec, "volume"> = { volume: { name: "state", mountPath: "/data" } };

export function volumeTests(test: DefineTest): void {
  test("a volume outlives restarts, changes and the removal of its workload", async (t) => {
    if (!t.manager.capabilities.volumes) return;
    await t.run(VOLUME);
    await t.ask("/volume-write?name=note&text=kept");
    const kept = { text: "kept" };
    await t.ask("/exit?code=1");
    await t.until("it runs again", async () => (await t.instance()).restarts === 1);
    await t.settled();
    assert.deepEqual(await t.ask("/volume-read?name=note"), kept);
    await t.run({ ...VOLUME, env: { TINY_VERSION: "2" } });
    await t.until("the new one reads it", async () => {
      assert.deepEqual(await t.ask("/volume-read?name=note"), kept);
      return (await t.whoAmI()).version === "2";
    });
    await t.manager.remove(t.cluster, "tiny");
    await t.manager.remove(t.cluster, "all");
    await t.run(VOLUME);
    assert.deepEqual(await t.ask("/volume-read?name=note"), kept);
  });

  test("a cluster with nothing but a volume is still a cluster", async (t) => {
    if (!t.manager.capabilities.volumes) return;
    await t.run(VOLUME);
    await t.manager.remove(t.cluster, "all");
    assert.deepEqual(await t.manager.list(t.cluster), []);
    assert.ok((await t.manager.clusters()).some(({ name }) => name === t.cluster.name));
  });

  test("a volume is removed with everything else when that is asked for", async (t) => {
    if (!t.manager.capabilities.volumes) return;
    await t.run(VOLUME);
    await t.ask("/volume-write?name=note&text=gone");
    await t.manager.remove(t.cluster, "all", { volumes: true });
    assert.ok((await t.manager.clusters()).every(({ name }) => name !== t.cluster.name));
    assert.deepEqual(await t.logs(), []);
    await t.run(VOLUME);
    await assert.rejects(t.ask("/volume-read?name=note"));
  });

  test("a volume is refused where there are none", async (t) => {
    if (t.manager.capabilities.volumes) return;
    await assert.rejects(t.manager.apply(t.cluster, t.spec(VOLUME)), (error) =>
      UnsupportedError.isInstance(error),
    );
    assert.deepEqual(await t.manager.list(t.cluster), []);
  });
}
