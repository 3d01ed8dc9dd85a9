import { strict as assert } from "node:assert";
import { workloadDigest } from "@clipper-serving/spec";
import type { DefineTest } from "./suite.js";
import { idsOf, type Trial } from "./trial.js";

/** Where old and new can run side by side on every platform: the port is the cluster's own. */
function insidePort(t: Trial): ReturnType<Trial["port"]>[] {
  return [t.port("http", { outside: false })];
}

/** Asks from inside the cluster, where every port can be reached. */
async function versionInside(t: Trial): Promise<string> {
  await using reach = await t.manager.reach(t.cluster, { id: "tiny", port: "http" }, "cluster");
  const answers = await Promise.allSettled(
    reach.addresses.map((address) =>
      t.ask<{ version: string }>(`/fetch?path=/whoami&address=${encodeURIComponent(address)}`, "asker"),
    ),
  );
  const answered = answers.find(
    (answer) => answer.status === "fulfilled" && answer.value.version !== undefined,
  );
  assert.equal(answered?.status, "fulfilled", `one of ${reach.addresses} answers`);
  return answered.value.version;
}

export function changeTests(test: DefineTest): void {
  test("a changed program takes over without a gap", async (t) => {
    await t.run({ id: "asker" });
    const old = await t.run({ ports: insidePort(t) });
    const versions = [await versionInside(t)];
    await t.manager.apply(
      t.cluster,
      t.spec({ ports: insidePort(t), env: { TINY_VERSION: "2", TINY_READY_AFTER_MS: "300" } }),
    );
    await t.until("the new one answers", async () => {
      versions.push(await versionInside(t));
      return versions.at(-1) === "2";
    });
    assert.deepEqual(versions, versions.toSorted(), "the old one answered until then");
    const settled = await t.settled();
    assert.notDeepEqual(idsOf(settled), idsOf(old));
    assert.equal(await versionInside(t), "2");
  });

  test("an instance that never becomes ready leaves the old one serving, and can be replaced", async (t) => {
    await t.run({ id: "asker" });
    await t.run({ ports: insidePort(t) });
    const never = { TINY_VERSION: "2", TINY_READY_AFTER_MS: "never" };
    await t.manager.apply(t.cluster, t.spec({ ports: insidePort(t), env: never }));
    await t.until("the new one was asked several times", async () => {
      // Some platforms ask only when they are asked themselves.
      await t.status();
      const asked = (await t.texts({ id: "tiny" })).filter((text) => text === "asked whether it is ready");
      return asked.length >= 3;
    });
    assert.equal(await versionInside(t), "1");
    assert.ok(!(await t.texts({ id: "tiny" })).includes("got SIGTERM"));
    await t.run({ ports: insidePort(t), env: { TINY_VERSION: "3" } });
    assert.equal(await versionInside(t), "3");
  });

  test("going back before the new one is ready keeps the old one", async (t) => {
    const spec = t.spec({ ports: insidePort(t) });
    const old = await t.run(spec);
    await t.manager.apply(t.cluster, { ...spec, env: { TINY_READY_AFTER_MS: "never" } });
    await t.until("both run", async () => (await t.status()).instances.length === 2);
    await t.manager.apply(t.cluster, spec);
    assert.deepEqual(idsOf(await t.settled()), idsOf(old));
  });

  test("a change and another count can come together", async (t) => {
    await t.run({ ports: insidePort(t), instances: 2 });
    const after = await t.run({ ports: insidePort(t), instances: 3, env: { TINY_VERSION: "2" } });
    assert.equal(after.wanted, 3);
    const started = (await t.logs({ id: "tiny" })).filter(({ text }) => text === "started version 2");
    assert.deepEqual(started.map(({ instance }) => instance).sort(), idsOf(after));
  });

  test("an outside port stays what it was when the program changes", async (t) => {
    await t.run();
    const before = await t.addresses();
    const changed = t.spec({ env: { TINY_VERSION: "2" } });
    await t.manager.apply(t.cluster, changed);
    await t.until("the new one answers", async () => (await t.whoAmI()).version === "2");
    const { specDigest } = await t.settled();
    assert.deepEqual(await t.addresses(), before);
    assert.equal(specDigest, workloadDigest(changed));
  });

  test("changed labels are given back", async (t) => {
    await t.run({ labels: { model: "a" } });
    await t.run({ labels: { model: "b" } });
    assert.deepEqual((await t.status()).labels, { model: "b" });
  });
}
