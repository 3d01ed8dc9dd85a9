import { strict as assert } from "node:assert";
import type { InstanceStatus } from "@clipper-serving/spec";
import type { DefineTest } from "./suite.js";
import type { Trial } from "./trial.js";

function restarted(t: Trial, times = 1): Promise<InstanceStatus> {
  return t.until("it runs again", async () => {
    const instance = await t.instance();
    return instance.restarts >= times && instance.state === "ready" && instance;
  });
}

export function restartTests(test: DefineTest): void {
  test("an instance that exits is started again under its name, and its exit code is told", async (t) => {
    const before = (await t.run()).instances[0]!;
    await t.ask("/exit?code=3");
    const after = await restarted(t);
    assert.equal(after.id, before.id);
    assert.equal(after.exitCode, 3);
    assert.equal((await t.whoAmI()).env.CLIPPER_INSTANCE, before.id);
  });

  test("an instance that exits with code 0 is started again as well", async (t) => {
    await t.run();
    await t.ask("/exit?code=0");
    assert.equal((await restarted(t)).exitCode, 0);
  });

  test("an instance that crashes is started again", async (t) => {
    await t.run();
    await t.ask("/crash");
    assert.notEqual((await restarted(t)).exitCode, 0);
    assert.equal((await t.whoAmI()).version, "1");
  });

  test("an instance whose process is killed is started again, with 137 as its exit code", async (t) => {
    const { pid } = (await t.run()).instances[0]!;
    // Where the platform tells of no process of this machine, there is none to kill.
    if (pid === undefined) return;
    process.kill(pid, "SIGKILL");
    const after = await restarted(t);
    assert.equal(after.exitCode, 137);
    assert.notEqual(after.pid, pid);
  });

  test("what exits again and again is started again after growing delays, and list says why", async (t) => {
    await t.manager.apply(t.cluster, t.spec({ env: { TINY_EXIT_AT_START: "7" } }));
    const starts = new Set<number>();
    const last = await t.until("it was started five times", async () => {
      const instance = await t.instance();
      if (instance.startedAtMs !== undefined) starts.add(instance.startedAtMs);
      const isOver = instance.state === "exited" || instance.state === "failed";
      return instance.restarts >= 4 && isOver && instance;
    });
    assert.equal(last.exitCode, 7);
    assert.ok((last.reason ?? "").length > 0, "a reason for people");
    const delays = [...starts].slice(1).map((start, index) => start - [...starts][index]!);
    // A platform need not tell when a run started.
    if (delays.length > 1) assert.ok(delays.at(-1)! > delays[0]!, `the delays grow: ${delays}`);
  });

  test("a program that cannot be started is told of, and replaced by one that can", async (t) => {
    await t.manager.apply(t.cluster, t.spec({ command: ["/no/such/program"] }));
    await t.until("list says why", async () => {
      const instance = await t.instance();
      return instance.state !== "ready" && (instance.reason ?? "") !== "";
    });
    await t.run();
    assert.equal((await t.whoAmI()).version, "1");
  });
}
