import { strict as assert } from "node:assert";
import type { DefineTest } from "./suite.js";
import type { Trial } from "./trial.js";

/** What may wait, by name. */
function calls(t: Trial, signal: AbortSignal): Record<string, () => Promise<unknown>> {
  const { manager, cluster } = t;
  return {
    facts: () => manager.facts({ signal }),
    clusters: () => manager.clusters({ signal }),
    apply: () => manager.apply(cluster, t.spec(), { signal }),
    list: () => manager.list(cluster, { signal }),
    reach: () => manager.reach(cluster, { id: "tiny", port: "http" }, "caller", { signal }),
    remove: () => manager.remove(cluster, "tiny", { signal }),
  };
}

export function abortTests(test: DefineTest): void {
  test("a call whose signal has aborted rejects with the reason and does nothing", async (t) => {
    const reason = new TypeError("called off before it began");
    for (const [name, call] of Object.entries(calls(t, AbortSignal.abort(reason)))) {
      await assert.rejects(call(), (error) => error === reason, name);
    }
    assert.deepEqual(await t.manager.list(t.cluster), []);
    await t.run();
    await assert.rejects(calls(t, AbortSignal.abort(reason)).remove!());
    assert.equal((await t.whoAmI()).version, "1");
  });

  test("a call that is called off while it waits rejects promptly with the reason", async (t) => {
    await t.run({ env: { TINY_IGNORE_SIGTERM: "1" }, graceMs: 1_500 });
    const stop = new AbortController();
    const reason = new TypeError("called off while it waited");
    const removing = t.manager.remove(t.cluster, "tiny", { signal: stop.signal });
    const rejected = assert.rejects(removing, (error) => error === reason);
    await t.until("it is being stopped", async () => (await t.texts()).includes("got SIGTERM"));
    const begun = performance.now();
    stop.abort(reason);
    await rejected;
    assert.ok(performance.now() - begun < 500, "promptly");
  });

  test("logs and changes end without an error when their signal has aborted", async (t) => {
    await t.run();
    const signal = AbortSignal.abort();
    await t.logs({ follow: true, signal });
    for await (const _hint of t.manager.changes?.(t.cluster, { signal }) ?? []) assert.fail("nothing is new");
  });
}
