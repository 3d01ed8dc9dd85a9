import { ManagerError, ROLE_LABEL, type WorkloadSpec } from "@clipper-serving/spec";
import { ManualClock } from "@clipper-serving/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Controller,
  type ControllerEvent,
  DEFAULT_LEASE_MS,
  putInstances,
  putWorkload,
  restoreState,
  StateView,
  unregisterVersion,
  workloadSpec,
} from "./index.js";
import { workloadRecord } from "./test-support/records.js";
import { SimulatedManagement } from "./test-support/simulated-management.js";
import { SimulatedPlatform } from "./test-support/simulated-platform.js";

const CLUSTER = { name: "test" };
const SECRETS = { rpc: Buffer.from("s3cret") };

class World {
  readonly platform = new SimulatedPlatform();
  readonly management = new SimulatedManagement();
  readonly clock = new ManualClock();
  readonly events: ControllerEvent[] = [];

  get records() {
    return this.management.records;
  }

  controller(): Controller {
    return new Controller({
      manager: this.platform,
      management: this.management,
      cluster: CLUSTER,
      secrets: SECRETS,
      clock: this.clock,
      onEvent: (event) => this.events.push(event),
    });
  }

  /** Workloads of the platform: id, instances that stand. */
  running(): Record<string, number> {
    return Object.fromEntries(this.platform.statuses().map(({ id, instances }) => [id, instances.length]));
  }
}

/** One of each thing a controller has to do: start, scale, remove, undo a deploy, leave a frontend alone. */
function unsettledWorld(): World {
  const world = new World();
  const { records, platform } = world;
  const place = (id: string, instances: number) =>
    platform.place(workloadSpec(workloadRecord(id, { instances }), SECRETS));
  records.deploy("m", "1");
  records.deploy("n", "1");
  place("w-n-1", 1);
  records.deploy("o", "1");
  place("w-o-1", 2);
  records.do((view) => unregisterVersion(view, { model: "o", version: "1" }));
  records.begin("gone", { model: "p", version: "1" });
  records.do((view) => putWorkload(view, workloadRecord("w-gone", { operation: "gone" })));
  place("w-gone", 1);
  const frontend: WorkloadSpec = {
    ...workloadSpec(workloadRecord("query", { instances: 1 }), SECRETS),
    labels: { [ROLE_LABEL]: "query-frontend" },
  };
  platform.place(frontend);
  records.nowMs += DEFAULT_LEASE_MS;
  return world;
}

const SETTLED = { "w-m-1": 2, "w-n-1": 2, query: 1 };

function fail(message: string): never {
  throw new ManagerError({ manager: "simulated", message });
}

describe("a round", () => {
  it("makes the platform run what the records want, and tells what it did", async () => {
    const world = unsettledWorld();
    const controller = world.controller();
    const round = await controller.runOnce();
    expect(round.failed).toEqual([]);
    expect(round.done.map(({ kind, id, why }) => `${kind} ${id} ${why}`)).toEqual([
      "end-operation gone abandoned",
      "apply w-m-1 absent",
      "apply w-n-1 count",
      "remove w-o-1 unwanted",
    ]);
    expect(await controller.runOnce()).toMatchObject({ done: [{ kind: "remove", id: "w-gone" }] });
    expect(await controller.runOnce()).toEqual({ done: [], failed: [] });
    expect(world.running()).toEqual(SETTLED);
    expect(world.records.view.operation("gone")).toMatchObject({ phase: "failed" });
  });

  it("goes on when one action fails, and says which", async () => {
    const world = unsettledWorld();
    world.platform.beforeCall = (call) => {
      if (call === "apply w-m-1") fail("no memory");
    };
    const round = await world.controller().runOnce();
    expect(round.failed).toEqual([
      { action: { kind: "apply", id: "w-m-1", why: "absent" }, error: expect.any(ManagerError) },
    ]);
    expect(round.done).toHaveLength(3);
  });

  it("does nothing when it cannot look", async () => {
    const world = unsettledWorld();
    world.platform.beforeCall = () => fail("engine is down");
    await expect(world.controller().runOnce()).rejects.toThrow("engine is down");
    expect(world.platform.calls).toEqual(["list"]);
  });

  it("looks at the platform before it reads the records, so that a new workload is not taken for an unwanted one", async () => {
    const world = new World();
    // Another process deploys, and another controller starts it, while this one is between its two looks.
    const betweenLooks = () => {
      if (world.records.view.workload("w-m-1") !== undefined) return;
      world.records.deploy("m", "1");
      world.platform.place(workloadSpec(workloadRecord("w-m-1", { instances: 2 }), SECRETS));
    };
    world.platform.afterCall = betweenLooks;
    world.management.afterCall = betweenLooks;
    await world.controller().runOnce();
    expect(world.running()).toEqual({ "w-m-1": 2 });
    expect(world.platform.calls).not.toContain("remove w-m-1");
  });

  it("refuses to act on records that went back: a lost store must not cost the replicas", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    const controller = world.controller();
    await controller.runOnce();
    world.records.view = new World().records.view;
    await expect(controller.runOnce()).rejects.toMatchObject({ code: "STORE_REGRESSED" });
    expect(world.running()).toEqual({ "w-m-1": 2 });
  });

  it("goes on with a store that has taken the place of the one it knew", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    const controller = world.controller();
    await controller.runOnce();
    const lost = world.records.view.snapshot();
    const head = { epoch: "f", revision: 0, hash: "f".repeat(64) };
    world.records.view = new StateView({ head, records: [] });
    await expect(controller.runOnce()).rejects.toMatchObject({ code: "STORE_REGRESSED" });
    world.records.do((view) => restoreState(view, { expected: head, snapshot: lost, left: [] }));
    expect(await controller.runOnce()).toEqual({ done: [], failed: [] });
    world.records.do((view) => unregisterVersion(view, { model: "m", version: "1" }));
    await controller.runOnce();
    expect(world.running()).toEqual({});
  });

  it("tells of replicas that no record wants and that may be all that is left of lost records, and leaves them", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    await world.controller().runOnce();
    const head = { epoch: "f", revision: 0, hash: "f".repeat(64) };
    world.records.view = new StateView({ head, records: [] });
    await world.controller().runOnce();
    expect(world.running()).toEqual({ "w-m-1": 2 });
    expect(world.events.at(-1)).toMatchObject({
      type: "workload-left",
      id: "w-m-1",
      error: { code: "STATE_LOST" },
    });
  });

  it("asks the platform one thing at a time of each workload, even for callers at once", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    let inside = 0;
    let most = 0;
    world.platform.beforeCall = async (call) => {
      if (!call.startsWith("apply")) return;
      inside += 1;
      most = Math.max(most, inside);
      await world.clock.settle();
    };
    world.platform.afterCall = (call) => {
      if (call.startsWith("apply")) inside -= 1;
    };
    const controller = world.controller();
    await Promise.all([controller.runOnce(), controller.runOnce(), controller.runOnce()]);
    expect(most).toBe(1);
    expect(world.running()).toEqual({ "w-m-1": 2 });
  });

  it("rejects with the reason of an aborted signal, and starts nothing more", async () => {
    const world = unsettledWorld();
    const stop = new AbortController();
    world.management.afterCall = () => stop.abort(new TypeError("enough"));
    await expect(world.controller().runOnce({ signal: stop.signal })).rejects.toThrow("enough");
    expect(world.platform.calls).toEqual(["list"]);
  });
});

describe("a controller that is killed", () => {
  /** Runs rounds until the n-th call, counted over platform and management, is cut off. @returns whether it came to that */
  async function runUntilKilled(world: World, at: number, effect: "before" | "after"): Promise<boolean> {
    let calls = 0;
    let isDead = false;
    const before = () => {
      if (isDead) fail("dead");
      calls += 1;
      if (calls === at && effect === "before") {
        isDead = true;
        fail("killed");
      }
    };
    const after = () => {
      if (calls >= at && effect === "after") isDead = true;
      if (isDead) fail("killed");
    };
    for (const seam of [world.platform, world.management]) {
      seam.beforeCall = before;
      seam.afterCall = after;
    }
    const controller = world.controller();
    for (let rounds = 0; rounds < 4 && !isDead; rounds += 1) {
      await controller.runOnce().catch(() => {
        // It is dead; the next one shows what that has cost.
      });
    }
    for (const seam of [world.platform, world.management]) {
      seam.beforeCall = () => {};
      seam.afterCall = () => {};
    }
    return isDead;
  }

  it.each(["before", "after"] as const)(
    "%s any of its calls takes effect leaves nothing another does not finish",
    async (effect) => {
      let killedAt = 0;
      for (let at = 1; ; at += 1) {
        const world = unsettledWorld();
        if (!(await runUntilKilled(world, at, effect))) break;
        killedAt = at;
        const fresh = world.controller();
        for (let rounds = 0; rounds < 3; rounds += 1) await fresh.runOnce();
        expect(world.running()).toEqual(SETTLED);
        expect(await fresh.runOnce()).toEqual({ done: [], failed: [] });
        expect(world.records.view.operation("gone")).toMatchObject({ phase: "failed" });
      }
      expect(killedAt).toBeGreaterThan(8);
    },
  );

  it("converges from any mix of wishes, faults and hands on the platform", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("deploy"), model: fc.constantFrom("m", "n"), version: fc.nat(3) }),
      fc.record({ kind: fc.constant("scale"), index: fc.nat(5), count: fc.nat(4) }),
      fc.record({ kind: fc.constant("stop"), index: fc.nat(5) }),
      fc.record({ kind: fc.constant("abandon"), version: fc.integer({ min: 10, max: 14 }) }),
      fc.record({ kind: fc.constant("remove-by-hand"), index: fc.nat(5) }),
      fc.record({ kind: fc.constant("faulty-round"), odds: fc.infiniteStream(fc.nat(2)) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const world = new World();
        const { records, platform, management } = world;
        for (const [index, each] of steps.entries()) {
          if ("odds" in each) {
            const odds = each.odds[Symbol.iterator]();
            const perhaps = () => {
              if (odds.next().value === 0) fail("unlucky");
            };
            for (const seam of [platform, management]) [seam.beforeCall, seam.afterCall] = [perhaps, perhaps];
            await world
              .controller()
              .runOnce()
              .catch(() => {
                // Unlucky at the first look.
              });
            for (const seam of [platform, management]) {
              [seam.beforeCall, seam.afterCall] = [() => {}, () => {}];
            }
          } else if ("model" in each) {
            if (records.view.version({ model: each.model, version: String(each.version) }) === undefined) {
              records.deploy(each.model, String(each.version));
            }
          } else if (each.kind === "abandon") {
            const id = `abandoned-${index}`;
            records.begin(id, { model: "m", version: String("version" in each ? each.version : 0) });
            records.do((view) => putWorkload(view, workloadRecord(`w-${id}`, { operation: id })));
            records.nowMs += DEFAULT_LEASE_MS;
          } else if ("index" in each) {
            const version = records.view.versions().at(each.index);
            if (version?.workload === undefined) continue;
            const { workload } = version;
            if (each.kind === "remove-by-hand") platform.removeInstanceByHand(workload);
            else if (each.kind === "stop") records.do((view) => unregisterVersion(view, version));
            else {
              const instances = "count" in each ? each.count : 0;
              records.do((view) => putInstances(view, workload, { instances }));
            }
          }
        }
        records.nowMs += DEFAULT_LEASE_MS;
        const fresh = world.controller();
        for (let rounds = 0; rounds < 3; rounds += 1) await fresh.runOnce();
        expect(await fresh.runOnce()).toEqual({ done: [], failed: [] });
        const wanted = records.view.workloads().map(({ id, instances }) => [id, instances]);
        expect(world.running()).toEqual(Object.fromEntries(wanted));
        expect(records.view.workloads().every(({ operation }) => operation === undefined)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe("running for ever", () => {
  async function running(world: World, during: (stop: AbortController) => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const done = world.controller().run({ signal: stop.signal });
    await world.clock.settle();
    await during(stop);
    stop.abort();
    await done;
  }

  it("puts back within an interval what a person removed", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    await running(world, async () => {
      expect(world.running()).toEqual({ "w-m-1": 2 });
      world.platform.removeInstanceByHand("w-m-1");
      await world.clock.advanceAsync(1_000_000);
      expect(world.running()).toEqual({ "w-m-1": 2 });
    });
  });

  it("looks at once when the platform hints at a change", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    await running(world, async () => {
      await world.clock.advanceAsync(5_000_000);
      world.platform.removeInstanceByHand("w-m-1");
      world.platform.hint();
      await world.clock.advanceAsync(100_000);
      expect(world.running()).toEqual({ "w-m-1": 2 });
    });
  });

  it("backs off while it cannot look, tells, and goes on as soon as it can", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    world.platform.beforeCall = () => fail("engine is down");
    await running(world, async () => {
      await world.clock.advanceAsync(60_000_000);
      const delays = world.events.flatMap((event) =>
        event.type === "round-failed" ? [event.retryInMs] : [],
      );
      expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
      world.platform.beforeCall = () => {};
      await world.clock.advanceAsync(30_000_000);
      expect(world.running()).toEqual({ "w-m-1": 2 });
    });
  });

  it("backs off from one workload that fails, while the others go on", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    world.platform.beforeCall = (call) => {
      if (call === "apply w-m-1") fail("no memory");
    };
    await running(world, async () => {
      await world.clock.advanceAsync(10_000_000);
      const tries = world.platform.calls.filter((call) => call === "apply w-m-1").length;
      expect(tries).toBe(4);
      world.records.deploy("n", "1");
      await world.clock.advanceAsync(1_000_000);
      expect(world.running()).toEqual({ "w-n-1": 2 });
    });
  });

  it("does not wait for a workload that takes its whole grace to stop", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    await running(world, async () => {
      world.platform.beforeCall = (call) =>
        call === "remove w-m-1"
          ? new Promise<void>((resolve) => world.clock.after(10_000_000, resolve))
          : undefined;
      world.records.do((view) => unregisterVersion(view, { model: "m", version: "1" }));
      await world.clock.advanceAsync(1_100_000);
      world.records.deploy("n", "1");
      await world.clock.advanceAsync(1_100_000);
      expect(world.running()).toEqual({ "w-m-1": 2, "w-n-1": 2 });
      expect(world.platform.calls.filter((call) => call === "remove w-m-1")).toHaveLength(1);
      await world.clock.advanceAsync(10_000_000);
      expect(world.running()).toEqual({ "w-n-1": 2 });
    });
  });

  it("tells once of a wish it cannot meet, and never shows a secret", async () => {
    const world = new World();
    world.records.deploy("m", "1");
    world.records.begin("op", { model: "n", version: "1" });
    const broken = workloadRecord("w-n", { operation: "op" });
    world.records.do((view) => putWorkload(view, { ...broken, spec: { ...broken.spec, secrets: ["none"] } }));
    await running(world, async () => {
      await world.clock.advanceAsync(5_000_000);
    });
    const left = world.events.filter(({ type }) => type === "workload-left");
    expect(left).toEqual([
      { type: "workload-left", id: "w-n", error: expect.objectContaining({ code: "INVALID_ARGUMENT" }) },
    ]);
    expect(JSON.stringify(world.events)).not.toContain("s3cret");
    expect(JSON.stringify(world.events)).not.toContain(JSON.stringify(SECRETS.rpc));
  });
});
