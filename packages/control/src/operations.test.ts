import { describe, expect, it } from "vitest";
import {
  DEFAULT_LEASE_MS,
  deleteWorkload,
  finishOperation,
  holdLeases,
  OPERATION_ABANDONED,
  putInstances,
  putWorkload,
  registerVersion,
  renewOperation,
  sweepOperations,
  switchOperation,
  unregisterVersion,
} from "./index.js";
import { NOW_MS, Records, registration, workloadRecord } from "./test-support/records.js";

const TARGET = { model: "m", version: "1" };
const ABANDONED = { error: { code: OPERATION_ABANDONED, message: "gone" } };

/** A deploy that has come as far as its replicas. */
function midDeploy(id = "op"): Records {
  const records = new Records();
  records.begin(id, TARGET);
  records.do((view) => putWorkload(view, workloadRecord("w", { operation: id, instances: 2 })));
  return records;
}

const code = (expected: string) => expect.objectContaining({ code: expected });

describe("leases, when a management frontend starts", () => {
  it("have their whole time again, and what has ended stays so", () => {
    const records = midDeploy();
    records.begin("ended", { model: "m", version: "2" });
    records.do((view) =>
      finishOperation(view, "ended", { error: { code: "CANCELLED", message: "" } }, { nowMs: NOW_MS }),
    );
    const later = { nowMs: NOW_MS + 2 * DEFAULT_LEASE_MS };
    records.do((view) => holdLeases(view, later));
    expect(records.do((view) => sweepOperations(view, later))).toEqual([]);
    expect(records.view.operation("op")?.leaseUntilMs).toBe(later.nowMs + DEFAULT_LEASE_MS);
    expect(records.view.operation("ended")).toMatchObject({ phase: "failed", leaseUntilMs: NOW_MS });
  });
});

describe("beginning a deploy", () => {
  it("holds the version for one caller", () => {
    const records = new Records();
    expect(records.begin("op", TARGET)).toEqual({
      id: "op",
      kind: "deploy",
      target: TARGET,
      phase: "capture",
      contentDigest: "sha256:m1",
      startedAtMs: NOW_MS,
      leaseUntilMs: NOW_MS + DEFAULT_LEASE_MS,
    });
    records.nowMs += 1_000;
    expect(() => records.begin("other", TARGET)).toThrow(
      expect.objectContaining({
        code: "OPERATION_RUNNING",
        message: expect.stringContaining(`${DEFAULT_LEASE_MS - 1_000} ms`),
        facts: expect.objectContaining({
          contentDigest: "sha256:m1",
          operation: "op",
          leaseUntilMs: NOW_MS + DEFAULT_LEASE_MS,
        }),
      }),
    );
    expect(records.begin("elsewhere", { model: "m", version: "2" })).toBeDefined();
  });

  it("answers the same when asked again under the same name, and refuses the name for anything else", () => {
    const records = new Records();
    const begun = records.begin("op", TARGET);
    const before = records.view;
    records.nowMs += 1_000;
    expect(records.begin("op", TARGET)).toEqual(begun);
    expect(records.view).toBe(before);
    expect(() => records.begin("op", { model: "m", version: "2" })).toThrow(code("INVALID_ARGUMENT"));
    records.do((view) =>
      finishOperation(view, "op", { error: { code: "CANCELLED", message: "" } }, { nowMs: records.nowMs }),
    );
    expect(() => records.begin("op", TARGET)).toThrow(code("OPERATION_ENDED"));
  });

  it("finds nothing to do when the same content is deployed and current", () => {
    const records = new Records();
    records.deploy("m", "1");
    const before = records.view;
    expect(records.begin("again", TARGET)).toBeUndefined();
    expect(records.view).toBe(before);
  });

  it("refuses another content under the same version, before any side effect", () => {
    const records = new Records();
    records.deploy("m", "1");
    expect(() => records.begin("again", TARGET, { contentDigest: "sha256:other" })).toThrow(
      expect.objectContaining({
        code: "VERSION_EXISTS",
        facts: expect.objectContaining({ deployedDigest: "sha256:m1", newDigest: "sha256:other" }),
      }),
    );
  });

  it("does not take a version that was registered without content for the same", () => {
    const records = new Records();
    records.do((view) => registerVersion(view, "m", registration("1", { contentDigest: "" })));
    expect(() => records.begin("again", TARGET, { contentDigest: "" })).toThrow(code("VERSION_EXISTS"));
  });

  it("refuses an input type that a linked application does not take", () => {
    const records = new Records();
    records.deploy("m", "1");
    records.addApplication("app", "m");
    const target = { model: "m", version: "2" };
    expect(() => records.begin("op", target, { inputType: "bytes" })).toThrow(code("INPUT_TYPE_MISMATCH"));
  });

  it("takes over from a caller that is gone: what it made is removed in the same commit", () => {
    const records = midDeploy();
    records.nowMs += DEFAULT_LEASE_MS;
    expect(records.begin("next", TARGET)).toMatchObject({ id: "next" });
    expect(records.view.operation("op")).toMatchObject({
      phase: "failed",
      error: { code: OPERATION_ABANDONED },
    });
    expect(records.view.workloads()).toEqual([]);
    const nowMs = records.nowMs;
    for (const late of [
      () => renewOperation(records.view, "op", { phase: "ready" }, { nowMs }),
      () => switchOperation(records.view, "op", registration("1", { workload: "w" }), { nowMs }),
      () => putWorkload(records.view, workloadRecord("w", { operation: "op" })),
    ]) {
      expect(late).toThrow(code("OPERATION_ENDED"));
    }
  });
});

describe("renewing", () => {
  it("moves the phase and the end of the lease", () => {
    const records = midDeploy();
    const nowMs = NOW_MS + 4_000;
    const renewed = records.do((view) =>
      renewOperation(view, "op", { phase: "ready" }, { nowMs, leaseMs: 9 }),
    );
    expect(renewed).toMatchObject({ phase: "ready", leaseUntilMs: nowMs + 9, workload: "w" });
  });

  it("revives a lease that ran out while nobody looked", () => {
    const records = midDeploy();
    records.nowMs += DEFAULT_LEASE_MS * 10;
    records.do((view) => renewOperation(view, "op", { phase: "ready" }, { nowMs: records.nowMs }));
    expect(sweepOperations(records.view, { nowMs: records.nowMs }).changes).toEqual([]);
  });

  it("does not end an operation", () => {
    const { view } = midDeploy();
    expect(() => renewOperation(view, "op", { phase: "done" }, { nowMs: NOW_MS })).toThrow(
      code("INVALID_ARGUMENT"),
    );
    expect(() => renewOperation(view, "none", { phase: "ready" }, { nowMs: NOW_MS })).toThrow(
      code("NOT_FOUND"),
    );
  });
});

describe("the switch", () => {
  it("is one commit: registered, current, the workload released, the operation done", () => {
    const records = midDeploy();
    const before = records.view.head.revision;
    const model = records.do((view) =>
      switchOperation(view, "op", registration("1", { workload: "w", replicas: 2 }), { nowMs: NOW_MS }),
    );
    expect(records.view.head.revision).toBe(before + 1);
    expect(model).toMatchObject({ currentVersion: "1" });
    expect(records.view.version(TARGET)).toMatchObject({ workload: "w", replicas: 2 });
    expect(records.view.workload("w")).not.toHaveProperty("operation");
    expect(records.view.operation("op")).toMatchObject({ phase: "done" });
  });

  it("answers the same when asked again, because the first answer may have been lost", () => {
    const records = midDeploy();
    const again = () =>
      switchOperation(records.view, "op", registration("1", { workload: "w" }), { nowMs: NOW_MS });
    const first = again();
    records.commit(first.changes);
    expect(again()).toEqual({ changes: [], result: first.result });
  });

  it("refuses another version than the operation's, and a workload that is not there", () => {
    const { view } = midDeploy();
    expect(() => switchOperation(view, "op", registration("2"), { nowMs: NOW_MS })).toThrow(
      code("INVALID_ARGUMENT"),
    );
    expect(() =>
      switchOperation(view, "op", registration("1", { workload: "none" }), { nowMs: NOW_MS }),
    ).toThrow(code("NOT_FOUND"));
    expect(() => switchOperation(view, "none", registration("1"), { nowMs: NOW_MS })).toThrow(
      code("NOT_FOUND"),
    );
  });

  it("brings a version back that is registered with the same content, on its new workload", () => {
    const records = new Records();
    records.deploy("m", "1");
    records.deploy("m", "2");
    records.begin("back", TARGET);
    records.do((view) => putWorkload(view, workloadRecord("fresh", { operation: "back" })));
    const body = registration("1", { workload: "fresh", replicas: 1 });
    const model = records.do((view) => switchOperation(view, "back", body, { nowMs: NOW_MS }));
    expect(model).toMatchObject({ currentVersion: "1", previousVersion: "2" });
    expect(records.view.workloads().map(({ id }) => id)).toEqual(["fresh", "w-m-2"]);
    expect(records.view.version(TARGET)).toMatchObject({ workload: "fresh", replicas: 1 });
  });
});

describe("finishing", () => {
  const finish = (records: Records, id: string, body: Parameters<typeof finishOperation>[2]) =>
    records.do((view) => finishOperation(view, id, body, { nowMs: records.nowMs }));

  it("with an error removes what the deploy made, and leaves what serves", () => {
    const records = new Records();
    records.deploy("m", "0");
    records.begin("op", TARGET);
    records.do((view) => putWorkload(view, workloadRecord("w", { operation: "op" })));
    const error = { code: "REPLICA_FAILED", message: "exit 1" };
    expect(finish(records, "op", { error })).toMatchObject({ phase: "failed", error });
    expect(records.view.workloads().map(({ id }) => id)).toEqual(["w-m-0"]);
    expect(records.view.model("m")).toMatchObject({ currentVersion: "0" });
    expect(records.begin("next", TARGET)).toBeDefined();
  });

  it("a deploy without an error is refused: its switch ends it", () => {
    expect(() => finish(midDeploy(), "op", {})).toThrow(code("INVALID_ARGUMENT"));
  });

  it("what has ended changes nothing", () => {
    const records = midDeploy();
    finish(records, "op", { error: { code: "X", message: "first" } });
    expect(finish(records, "op", { error: { code: "Y", message: "second" } })).toMatchObject({
      error: { code: "X" },
    });
  });

  it("as abandoned counts only once the lease has run out", () => {
    const records = midDeploy();
    expect(() => finish(records, "op", ABANDONED)).toThrow(code("OPERATION_RUNNING"));
    records.nowMs += DEFAULT_LEASE_MS;
    expect(finish(records, "op", ABANDONED)).toMatchObject({ phase: "failed" });
    expect(records.view.workloads()).toEqual([]);
  });

  it("as abandoned is done for a scale, a rollback and a stop: their wishes are written and stand", () => {
    const records = new Records();
    records.deploy("m", "1");
    records.begin("scale", TARGET, { kind: "scale" });
    records.do((view) => putInstances(view, "w-m-1", { instances: 5 }));
    records.nowMs += DEFAULT_LEASE_MS;
    expect(finish(records, "scale", ABANDONED)).toMatchObject({ phase: "done" });
    expect(records.view.workload("w-m-1")?.instances).toBe(5);
    expect(records.view.version(TARGET)?.replicas).toBe(5);
  });

  it("an undone redeploy of a cold version scales it back to 0 and keeps its workload", () => {
    const records = new Records();
    for (const version of ["1", "2", "3"]) records.deploy("m", version);
    records.begin("back", TARGET);
    records.do((view) => putWorkload(view, workloadRecord("w-m-1", { operation: "back", instances: 2 })));
    expect(records.view.workload("w-m-1")).not.toHaveProperty("operation");
    finish(records, "back", { error: { code: "X", message: "no" } });
    expect(records.view.workload("w-m-1")).toMatchObject({ instances: 0 });
    expect(records.view.version(TARGET)).toMatchObject({ workload: "w-m-1" });
  });
});

describe("sweeping", () => {
  it("ends what is abandoned, leaves what is held, forgets after an hour", () => {
    const records = midDeploy();
    records.begin("held", { model: "n", version: "1" });
    records.nowMs += DEFAULT_LEASE_MS;
    records.do((view) => renewOperation(view, "held", { phase: "apply" }, { nowMs: records.nowMs }));
    const swept = records.do((view) => sweepOperations(view, { nowMs: records.nowMs }));
    expect(swept.map(({ id }) => id)).toEqual(["op"]);
    records.do((view) => renewOperation(view, "held", { phase: "apply" }, { nowMs: NOW_MS + 4_000_000 }));
    records.do((view) => sweepOperations(view, { nowMs: NOW_MS + 3_600_000 }));
    expect(records.view.operation("op")).toBeDefined();
    records.do((view) => sweepOperations(view, { nowMs: NOW_MS + DEFAULT_LEASE_MS + 3_600_000 }));
    expect(records.view.operations().map(({ id }) => id)).toEqual(["held"]);
  });
});

describe("scale, rollback and stop", () => {
  it.each([
    ["scale", "Cannot add container for non-registered model m:1"],
    ["stop", "model with name 'm' and version '1' does not exist"],
  ] as const)("%s of a version that is not there is refused", (kind, message) => {
    expect(() => new Records().begin("op", TARGET, { kind })).toThrow(message);
  });

  it("refuses to scale what somebody else runs, in Clipper's words", () => {
    const records = new Records();
    records.do((view) => registerVersion(view, "m", registration("1")));
    expect(() => records.begin("op", TARGET, { kind: "scale" })).toThrow(
      "Cannot resize the replica set for containerless model m:1",
    );
  });

  it("one at a time on one version", () => {
    const records = new Records();
    records.deploy("m", "1");
    records.begin("scale", TARGET, { kind: "scale" });
    expect(() => records.begin("stop", TARGET, { kind: "stop" })).toThrow(code("OPERATION_RUNNING"));
  });
});

describe("workloads", () => {
  it("are made by a live operation only", () => {
    const records = new Records();
    expect(() => putWorkload(records.view, workloadRecord("w"))).toThrow(code("INVALID_ARGUMENT"));
    expect(() => putWorkload(records.view, workloadRecord("w", { operation: "none" }))).toThrow(
      code("NOT_FOUND"),
    );
    records.begin("op", TARGET);
    expect(() => putWorkload(records.view, workloadRecord("W", { operation: "op" }))).toThrow(
      code("INVALID_ARGUMENT"),
    );
    records.do((view) => putWorkload(view, workloadRecord("w", { operation: "op" })));
    expect(records.view.operation("op")).toMatchObject({ workload: "w" });
  });

  it("are not taken from another operation", () => {
    const records = midDeploy();
    records.begin("other", { model: "m", version: "2" });
    expect(() => putWorkload(records.view, workloadRecord("w", { operation: "other" }))).toThrow(
      code("WORKLOAD_IN_USE"),
    );
  });

  it.each([-1, 1.5, Number.NaN, 1_001])("cannot have %s instances", (instances) => {
    const { view } = midDeploy();
    expect(() => putInstances(view, "w", { instances })).toThrow(code("INVALID_ARGUMENT"));
  });

  it("of a registered version are not deleted; absent is success", () => {
    const records = new Records();
    records.deploy("m", "1");
    expect(() => deleteWorkload(records.view, "w-m-1")).toThrow(code("WORKLOAD_IN_USE"));
    expect(deleteWorkload(records.view, "none").changes).toEqual([]);
    records.do((view) => unregisterVersion(view, TARGET));
    expect(records.view.workloads()).toEqual([]);
  });
});
