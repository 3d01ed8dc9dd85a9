import type { StateHead, StateSnapshot } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { acceptLoss, putWorkload, reconcile, restoreState, StateView } from "./index.js";
import { Records } from "./test-support/records.js";

const NEW_HEAD: StateHead = { epoch: "f", revision: 0, hash: "f".repeat(64) };

function newStore(): Records {
  const records = new Records();
  records.view = new StateView({ head: NEW_HEAD, records: [] });
  return records;
}

/** What a frontend holds of a cluster with one version deployed and another deploy under way. */
function lostSnapshot(): StateSnapshot {
  const records = new Records();
  records.deploy("m", "1");
  records.addApplication("a", "m");
  const operation = records.begin("op-2", { model: "m", version: "2" });
  const { spec } = records.view.workload("w-m-1")!;
  records.do((view) =>
    putWorkload(view, { id: "w-m-2", instances: 1, operation: operation!.id, spec: { ...spec } }),
  );
  const { head, records: all } = records.view.snapshot();
  return { head, records: all.filter(({ kind }) => kind !== "operation") };
}

describe("restoring a store that is new", () => {
  it("gives it what the snapshot has, but for what a deploy under way had made", () => {
    const store = newStore();
    const snapshot = lostSnapshot();
    const origin = store.do((view) => restoreState(view, { expected: NEW_HEAD, snapshot, left: ["x"] }));
    expect(origin).toEqual({ succeeds: [{ epoch: "e", revision: snapshot.head.revision }], left: ["x"] });
    expect(store.view.origin()).toEqual(origin);
    expect(store.view.application("a")?.routes).toMatchObject([{ model: "m" }]);
    expect(store.view.model("m")?.currentVersion).toBe("1");
    expect(store.view.versions().map(({ version }) => version)).toEqual(["1"]);
    expect(store.view.workloads().map(({ id }) => id)).toEqual(["w-m-1"]);
    expect(store.view.operations()).toEqual([]);
  });

  it("keeps in mind what the lost store had itself succeeded", () => {
    const first = newStore();
    first.do((view) => restoreState(view, { expected: NEW_HEAD, snapshot: lostSnapshot(), left: [] }));
    const second = new StateView({ head: { ...NEW_HEAD, epoch: "g" }, records: [] });
    const { result } = restoreState(second, {
      expected: second.head,
      snapshot: first.view.snapshot(),
      left: [],
    });
    expect(result.succeeds.map(({ epoch }) => epoch)).toEqual(["f", "e"]);
  });

  it("is done once: whoever comes second is told", () => {
    const store = newStore();
    const body = { expected: NEW_HEAD, snapshot: lostSnapshot(), left: [] };
    store.do((view) => restoreState(view, body));
    expect(() => restoreState(store.view, body)).toThrow(expect.objectContaining({ code: "STORE_NOT_NEW" }));
    expect(() => restoreState(store.view, { ...body, expected: store.view.head })).toThrow(
      expect.objectContaining({ code: "STORE_NOT_NEW" }),
    );
  });

  it("is not done with the store's own history", () => {
    const { head, records } = lostSnapshot();
    const own = { head: { ...head, epoch: NEW_HEAD.epoch }, records };
    expect(() => restoreState(newStore().view, { expected: NEW_HEAD, snapshot: own, left: [] })).toThrow(
      /another than the store's own/,
    );
  });
});

describe("accepting a loss", () => {
  it("gives up the histories it names, whatever they had come to, and what was left of them", () => {
    const store = newStore();
    store.do((view) => restoreState(view, { expected: NEW_HEAD, snapshot: lostSnapshot(), left: ["x"] }));
    const expected = store.view.head;
    store.do((view) => acceptLoss(view, { expected, epochs: ["d", "f"] }));
    expect(store.view.origin()).toMatchObject({ succeeds: [{ epoch: "d" }, { epoch: "e" }], left: [] });
    expect(store.view.origin()?.succeeds[0]).not.toHaveProperty("revision");
    expect(acceptLoss(store.view, { expected, epochs: ["d"] }).changes).toEqual([]);
  });

  it("changes nothing where nothing was lost", () => {
    expect(acceptLoss(newStore().view, { expected: NEW_HEAD, epochs: [] }).changes).toEqual([]);
  });

  it("is refused for another store than the one that was looked at", () => {
    const expected = { ...NEW_HEAD, epoch: "elsewhere" };
    expect(() => acceptLoss(newStore().view, { expected, epochs: [] })).toThrow(
      expect.objectContaining({ code: "STORE_NOT_NEW" }),
    );
  });
});

describe("replicas that no record wants", () => {
  const status = (id: string, epoch?: string) => ({
    id,
    labels: {
      "clipper.role": "replica",
      "clipper.model": "m",
      "clipper.version": "1",
      ...(epoch === undefined ? {} : { "clipper.epoch": epoch }),
    },
    wanted: 1,
    specDigest: "",
    instances: [],
  });
  const actionsOn = (store: Records, ...statuses: ReturnType<typeof status>[]) =>
    reconcile(
      { head: store.view.head, origin: store.view.origin(), workloads: [], operations: [], secrets: {} },
      statuses,
      0,
    ).map(({ kind, id, why }) => `${kind} ${id} ${typeof why === "string" ? why : why.code}`);

  it("are left by a store of another history: its records may be lost", () => {
    expect(actionsOn(newStore(), status("own", "f"), status("other", "e"), status("bare"))).toEqual([
      "remove own unwanted",
      "leave other STATE_LOST",
      "leave bare STATE_LOST",
    ]);
  });

  it("are ended by one that took that one's place, but for those it has left", () => {
    const store = newStore();
    store.do((view) => restoreState(view, { expected: NEW_HEAD, snapshot: lostSnapshot(), left: ["x"] }));
    expect(actionsOn(store, status("w-m-2", "e"), status("x", "e"))).toEqual([
      "remove w-m-2 unwanted",
      "leave x STATE_LOST",
    ]);
    store.do((view) => acceptLoss(view, { expected: store.view.head, epochs: [] }));
    expect(actionsOn(store, status("x", "e"))).toEqual(["remove x unwanted"]);
  });
});
