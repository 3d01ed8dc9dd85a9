import { strict as assert } from "node:assert";
import type { ContainerManagerModule } from "@clipper-serving/spec";
import type { DefineTest } from "./suite.js";

export function clusterTests(test: DefineTest): void {
  test("two clusters with the same workloads do not see each other", async (t) => {
    const other = t.newCluster();
    await t.run({ env: { TINY_VERSION: "here" } });
    await t.run({ env: { TINY_VERSION: "there" }, instances: 2 }, other);
    assert.equal((await t.whoAmI()).version, "here");
    assert.equal((await t.whoAmI("tiny", other)).version, "there");
    assert.ok((await t.logs()).every(({ text }) => text !== "started version there"));
    const names = (await t.manager.clusters()).map(({ name }) => name);
    assert.ok(names.includes(t.cluster.name) && names.includes(other.name));
    const untouched = await t.status("tiny", other);
    await t.manager.remove(t.cluster, "all", { volumes: true });
    assert.deepEqual(await t.status("tiny", other), untouched);
    assert.equal((await t.whoAmI("tiny", other)).version, "there");
  });

  test("another manager with the same options sees and changes the same", async (t) => {
    const status = await t.run();
    const second = await t.newManager();
    assert.deepEqual(await second.list(t.cluster), [status]);
    assert.ok((await second.clusters()).some(({ name }) => name === t.cluster.name));
    await second.apply(t.cluster, t.spec());
    assert.deepEqual(await t.settled(), status);
    await second.apply(t.cluster, t.spec({ instances: 2 }));
    assert.equal((await t.settled()).wanted, 2);
    await second.remove(t.cluster, "tiny");
    assert.deepEqual(await t.manager.list(t.cluster), []);
  });

  test("a manager made again from its origin sees the same", async (t) => {
    const { origin } = t.manager;
    // Only this process can make it: no other needs to find the cluster.
    if (origin === undefined) return;
    const status = await t.run();
    const { createContainerManager } = (await import(origin.module)) as ContainerManagerModule;
    await using again = await createContainerManager(JSON.parse(JSON.stringify(origin.options)));
    assert.deepEqual(await again.list(t.cluster), [status]);
  });

  test("what runs goes on when the manager that started it is disposed of", async (t) => {
    const first = await t.newManager();
    await first.apply(t.cluster, t.spec());
    await first[Symbol.asyncDispose]();
    await t.settled();
    assert.equal((await t.whoAmI()).version, "1");
  });

  test("several managers may begin a cluster at once", async (t) => {
    const managers = await Promise.all(Array.from({ length: 4 }, () => t.newManager()));
    await Promise.all(
      managers.map((manager, index) => manager.apply(t.cluster, t.spec({ id: `w${index}` }))),
    );
    await Promise.all(managers.map((_, index) => t.settled(`w${index}`)));
    assert.equal((await t.manager.list(t.cluster)).length, managers.length);
  });

  test("changes hints that something is new, and ends when its signal aborts", async (t) => {
    const stop = new AbortController();
    const changes = t.manager.changes?.(t.cluster, { signal: stop.signal });
    // A manager may leave it out: then its callers look from time to time.
    if (changes === undefined) return;
    let hints = 0;
    const listening = (async () => {
      for await (const _hint of changes) hints += 1;
    })();
    await t.run();
    await t.until("a hint of the start", async () => hints > 0);
    const before = hints;
    await t.ask("/exit?code=1");
    await t.until("a hint of the restart", async () => hints > before);
    stop.abort();
    await listening;
  });
}
