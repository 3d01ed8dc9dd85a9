import { strict as assert } from "node:assert";
import { workloadDigest } from "@clipper-serving/spec";
import type { DefineTest } from "./suite.js";
import { idsOf } from "./trial.js";

export function lifecycleTests(test: DefineTest): void {
  test("what is applied becomes ready and answers", async (t) => {
    const { wanted, instances } = await t.run();
    assert.equal(wanted, 1);
    assert.equal(instances[0]?.restarts, 0);
    assert.equal((await t.whoAmI()).version, "1");
  });

  test("apply is accepted before instances are ready", async (t) => {
    await t.manager.apply(t.cluster, t.spec({ env: { TINY_READY_AFTER_MS: "never" } }));
    const { state } = await t.until("it runs", async () => {
      const instance = (await t.status()).instances[0];
      return instance?.state === "running" && instance;
    });
    assert.equal(state, "running");
  });

  test("an instance is not ready before its path answers 2xx", async (t) => {
    await t.manager.apply(t.cluster, t.spec({ env: { TINY_READY_AFTER_MS: "400" } }));
    const seen = new Set<string>();
    await t.until("it is ready", async () => {
      const state = (await t.status()).instances[0]?.state;
      if (state !== undefined) seen.add(state);
      return state === "ready";
    });
    assert.ok(seen.has("running"), `it was running before: ${[...seen]}`);
    assert.ok((await t.texts()).includes("asked whether it is ready"));
  });

  test("an instance without a path to ask is ready as soon as it runs", async (t) => {
    await t.run({ ready: "running", ports: [] });
    await t.until("its log begins", async () => (await t.texts()).includes("started version 1"));
  });

  test("an equal spec changes nothing, whatever the order of its keys", async (t) => {
    const spec = t.spec({ env: { A: "1", B: "2" }, labels: { a: "1", b: "2" } });
    const before = await t.run(spec);
    const reordered = Object.fromEntries(Object.entries(spec).reverse()) as unknown as typeof spec;
    await t.manager.apply(t.cluster, { ...reordered, env: { B: "2", A: "1" }, labels: { b: "2", a: "1" } });
    await t.manager.apply(t.cluster, spec);
    assert.deepEqual(await t.settled(), before);
  });

  test("list gives back labels unchanged, the wanted count and the digest of the spec", async (t) => {
    const labels = {
      "a key with / and = and spaces": "x".repeat(5_000),
      "ключ-日本語": 'é "quoted" 🙂\nsecond line',
      [`k${"e".repeat(300)}y`]: "",
    };
    const spec = t.spec({ labels, instances: 0 });
    await t.manager.apply(t.cluster, spec);
    const status = await t.status();
    assert.deepEqual(status.labels, labels);
    assert.equal(status.wanted, 0);
    assert.equal(status.specDigest, workloadDigest(spec));
  });

  test("a larger count adds instances, a smaller one removes the newest", async (t) => {
    const [first] = idsOf(await t.run());
    const three = await t.run({ instances: 3 });
    assert.equal(new Set(idsOf(three)).size, 3);
    assert.ok(idsOf(three).includes(first!));
    const kept = three.instances.find(({ id }) => id === first);
    const one = await t.run({ instances: 1 });
    assert.deepEqual(one.instances, [kept]);
  });

  test("0 instances keep the workload listed with nothing running, and it comes back", async (t) => {
    await t.run();
    const none = await t.run({ instances: 0 });
    assert.equal(none.wanted, 0);
    assert.deepEqual(await t.addresses(), []);
    await t.run({ instances: 1 });
    assert.equal((await t.whoAmI()).version, "1");
  });

  test("remove ends the instances and forgets the workload", async (t) => {
    await t.run();
    await t.run({ id: "other" });
    const [address] = await t.addresses();
    await t.manager.remove(t.cluster, "tiny");
    assert.deepEqual(
      (await t.manager.list(t.cluster)).map(({ id }) => id),
      ["other"],
    );
    assert.ok(address);
    await assert.rejects(t.ask("/whoami", "tiny"));
    assert.equal((await t.whoAmI("other")).version, "1");
  });

  test("remove sends SIGTERM, and kills what ignores it once the grace is over", async (t) => {
    const graceMs = 1_000;
    await t.run({ env: { TINY_IGNORE_SIGTERM: "1" }, graceMs });
    const seen: string[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const { text } of t.manager.logs(t.cluster, { follow: true, signal: stop.signal }))
        seen.push(text);
    })();
    await t.until("its log is followed", async () => seen.length > 0);
    const begun = performance.now();
    await t.manager.remove(t.cluster, "tiny");
    assert.ok(performance.now() - begun >= graceMs - 10, "it was given its grace");
    assert.deepEqual(await t.manager.list(t.cluster), []);
    await t.until("SIGTERM is heard of", async () => seen.includes("got SIGTERM"));
    stop.abort();
    await following;
  });

  test("removing what is absent succeeds, as does removing twice", async (t) => {
    await t.manager.remove(t.cluster, "tiny");
    await t.manager.remove(t.cluster, "all", { volumes: true });
    await t.run();
    await t.manager.remove(t.cluster, "tiny");
    await t.manager.remove(t.cluster, "tiny");
    await t.manager.remove(t.cluster, "all");
    assert.deepEqual(await t.manager.list(t.cluster), []);
  });

  test("remove all leaves nothing of the cluster, and it can begin again", async (t) => {
    await t.run();
    await t.run({ id: "other", instances: 2 });
    await t.manager.remove(t.cluster, "all");
    assert.deepEqual(await t.manager.list(t.cluster), []);
    assert.ok((await t.manager.clusters()).every(({ name }) => name !== t.cluster.name));
    await t.run();
    assert.equal((await t.whoAmI()).version, "1");
  });

  test("calls for different workloads may be made at once", async (t) => {
    const ids = ["a", "b", "c", "d"];
    await Promise.all(ids.map((id) => t.manager.apply(t.cluster, t.spec({ id }))));
    await Promise.all(ids.map((id) => t.settled(id)));
    const found = (await t.manager.list(t.cluster)).map(({ id }) => id);
    assert.deepEqual(found.sort(), ids);
  });

  test("a cluster that does not exist has no workloads", async (t) => {
    assert.deepEqual(await t.manager.list(t.cluster), []);
  });
}
