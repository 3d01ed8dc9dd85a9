import type {
  ClusterView,
  FrontendLease,
  HeldSnapshot,
  RestoredState,
  StateSnapshot,
} from "@clipper-serving/spec";
import { createMemoryStore } from "@clipper-serving/state";
import { ManualClock } from "@clipper-serving/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DIGITS, type RunningFrontend, startFrontend } from "../test-support/frontend.js";
import { SNAPSHOT_BYTES } from "./restore-schemas.js";

let frontend: RunningFrontend;

beforeEach(async () => {
  frontend = await startFrontend();
});

afterEach(() => frontend[Symbol.asyncDispose]());

const LOST: StateSnapshot = {
  head: { epoch: "lost", revision: 7, hash: "7" },
  records: [
    {
      kind: "application",
      key: "digits",
      value: {
        ...DIGITS,
        routes: [{ model: "m", version: "current", weight: 1, mirror: false, sticky: "user" }],
        policy: "first",
      },
      revision: 3,
    },
    { kind: "model", key: "m", value: { name: "m", inputType: "doubles", currentVersion: "1" }, revision: 7 },
  ],
};

const MODEL_OF_CLIPPER = {
  model_name: "of-clipper",
  model_version: "1",
  labels: [],
  input_type: "doubles",
  container_name: "c:1",
  model_data_path: "/model",
};

const view = async () => (await frontend.call("GET", "/v1/cluster")).json<ClusterView>();
const report = async (id: string, head?: object) => {
  const body = { id, url: "", startedAtMs: 1, ...(head && { head }), replicas: [], serving: {} };
  return (await frontend.call("PUT", `/v1/frontends/${id}`, body)).json<FrontendLease>();
};
const held = async () =>
  (await frontend.call("GET", "/v1/snapshots")).json<{ items: HeldSnapshot[] }>().items;
const restore = async (snapshot: unknown = LOST) =>
  frontend.call("POST", "/v1/restore", { expected: (await view()).head, snapshot, left: ["w"] });

describe("a store that is new", () => {
  it("says so until something is committed", async () => {
    expect(await view()).toMatchObject({ state: "new", head: { revision: 0 } });
    await frontend.call("POST", "/v1/applications", DIGITS);
    expect(await view()).toMatchObject({ state: "in-use" });
  });

  it("asks one of the frontends that hold a state of another store for it, and shows who holds it", async () => {
    expect((await report("a")).snapshotWanted).toBeUndefined();
    expect((await report("b", LOST.head)).snapshotWanted).toBe(true);
    expect((await frontend.call("PUT", "/v1/frontends/b/snapshot", LOST)).status).toBe(204);
    expect((await report("c", LOST.head)).snapshotWanted).toBeUndefined();
    expect((await report("d", { ...LOST.head, revision: 6 })).snapshotWanted).toBe(true);
    expect(await held()).toEqual([{ frontends: ["b", "c"], snapshot: LOST }]);
    expect((await report("e", (await view()).head)).snapshotWanted).toBeUndefined();
  });

  it("takes a snapshot of a whole state, larger than any other body", async () => {
    await report("b", LOST.head);
    const large = {
      ...LOST,
      records: [...LOST.records, { kind: "x", key: "y", value: "z".repeat(3_000_000), revision: 1 }],
    };
    expect((await frontend.call("PUT", "/v1/frontends/b/snapshot", large)).status).toBe(204);
    expect((await frontend.call("PUT", "/v1/frontends/nobody/snapshot", LOST)).status).toBe(404);
    const other = await frontend.call("PUT", "/v1/frontends/b", { url: "z".repeat(3_000_000) });
    expect(other.status).toBe(413);
    expect(other.json().cause).toContain("1048576");
  });

  it("refuses to begin anew while a frontend holds what it has lost", async () => {
    await report("b", LOST.head);
    const refused = await frontend.call("POST", "/v1/applications", DIGITS);
    expect(refused.status).toBe(409);
    expect(refused.json()).toMatchObject({ code: "STATE_LOST", facts: { frontend: "b", lost: LOST.head } });
    expect(await view()).toMatchObject({ state: "new", applications: [] });
  });

  it("hears a frontend first, for a while, before anything is begun", async () => {
    const clock = new ManualClock();
    await using waiting = await startFrontend({ clock, firstReportMs: 2_000 });
    const begin = (name: string) => waiting.call("POST", "/v1/applications", { ...DIGITS, name });
    const begun = begin("a");
    expect((await waiting.call("GET", "/v1/applications")).json()).toEqual({ items: [] });
    const body = { id: "b", url: "", startedAtMs: 1, head: LOST.head, replicas: [], serving: {} };
    await waiting.call("PUT", "/v1/frontends/b", body);
    expect((await begun).json()).toMatchObject({ code: "STATE_LOST" });

    const other = new ManualClock();
    await using alone = await startFrontend({ clock: other, firstReportMs: 2_000 });
    const first = alone.call("POST", "/v1/applications", DIGITS);
    await alone.call("GET", "/v1/applications");
    other.advance(2_000_000);
    expect((await first).status).toBe(201);
    expect((await alone.call("POST", "/v1/applications", { ...DIGITS, name: "next" })).status).toBe(201);
  });

  it("is restored in one commit, with what this version does not know of a record", async () => {
    await report("b", LOST.head);
    const restored = await restore();
    expect(restored.status).toBe(200);
    const origin = { succeeds: [{ epoch: "lost", revision: 7 }], left: ["w"] };
    expect(restored.json<RestoredState>()).toMatchObject({ head: { revision: 1 }, origin });
    expect(await view()).toMatchObject({
      state: "in-use",
      origin,
      applications: [{ name: "digits", routes: [{ sticky: "user" }] }],
      models: [{ name: "m", currentVersion: "1" }],
    });
    await report("b", LOST.head);
    expect(await held()).toEqual([]);
    expect((await frontend.call("POST", "/v1/applications", { ...DIGITS, name: "next" })).status).toBe(201);
  });

  it("is restored by one of two who try at once, also through two management frontends", async () => {
    const { head } = await view();
    await using other = await startFrontend({ store: frontend.store });
    const body = { expected: head, snapshot: LOST, left: [] };
    const answers = await Promise.all([
      frontend.call("POST", "/v1/restore", body),
      other.call("POST", "/v1/restore", body),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.json().code).toBe("STORE_NOT_NEW");
    expect((await view()).head.revision).toBe(1);
  });

  it("takes what Clipper's own interface had taken, however long", async () => {
    await using before = await startFrontend();
    const version = { ...MODEL_OF_CLIPPER, model_data_path: "p".repeat(5_000) };
    expect((await before.call("POST", "/admin/add_model", version)).status).toBe(200);
    const { records } = await before.store.read();
    expect((await restore({ ...LOST, records })).status).toBe(200);
    expect(await view()).toMatchObject({ versions: [{ modelDataPath: version.model_data_path }] });
  });

  // So much is read, checked and committed in seconds.
  it("takes as large a state as it holds", { timeout: 60_000 }, async () => {
    const { records } = LOST;
    const defaultOutput = "z".repeat(SNAPSHOT_BYTES - JSON.stringify(LOST).length);
    const value = { ...(records[0]!.value as object), defaultOutput };
    const large = { ...LOST, records: [{ ...records[0]!, value }, ...records.slice(1)] };
    expect((await restore(large)).status).toBe(200);
  });

  it("is not restored from records that are none", async () => {
    for (const value of [null, {}, { ...DIGITS, latencySloMicros: 0, routes: [], policy: "first" }]) {
      const records = [{ kind: "application", key: "digits", value, revision: 1 }];
      expect((await restore({ ...LOST, records })).status).toBe(400);
    }
    expect(await view()).toMatchObject({ state: "new" });
  });
});

describe("a loss that is accepted", () => {
  it("lets the store begin anew, and is told to those who follow it", async () => {
    await report("b", LOST.head);
    const accepted = await frontend.call("POST", "/v1/accept-loss", {
      expected: (await view()).head,
      epochs: ["lost"],
    });
    expect(accepted.json<RestoredState>().origin).toEqual({ succeeds: [{ epoch: "lost" }], left: [] });
    expect((await frontend.call("POST", "/v1/applications", DIGITS)).status).toBe(201);
    expect((await frontend.store.read()).records.map(({ kind }) => kind).sort()).toEqual([
      "application",
      "origin",
    ]);
  });

  it("is of the store that was looked at", async () => {
    const { head } = await createMemoryStore().read();
    const refused = await frontend.call("POST", "/v1/accept-loss", { expected: head, epochs: [] });
    expect(refused.json().code).toBe("STORE_NOT_NEW");
  });
});
