import type { StateRecord, StateSnapshot } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { applicationRecord, versionRecord } from "../test-support/records.js";
import { KnownState } from "./known-state.js";

const head = (epoch: string, revision: number, hash = `${epoch}-${revision}`) => ({ epoch, revision, hash });

function application(name: string): StateRecord {
  return { kind: "application", key: name, value: applicationRecord(name), revision: 1 };
}

function snapshot(epoch: string, revision: number, ...names: string[]): StateSnapshot {
  return { head: head(epoch, revision), records: names.map(application) };
}

function names(state: KnownState): string[] {
  return [...state.records()].map(({ key }) => key);
}

describe("the last state known to be good", () => {
  it("takes a first snapshot, and commits that follow one another", () => {
    const state = new KnownState();
    expect(state.applySnapshot(snapshot("e", 3, "a"))).toBe("applied");
    const commit = { head: head("e", 4), changes: [{ kind: "application", key: "b", value: {} }] };
    expect(state.applyCommit(commit)).toBe("applied");
    expect(state.applyCommit(commit)).toBe("known");
    expect(state.applyCommit({ head: head("e", 5), changes: [{ kind: "application", key: "a" }] })).toBe(
      "applied",
    );
    expect(names(state)).toEqual(["b"]);
    expect(state.head).toEqual(head("e", 5));
  });

  it("keeps no records but those that queries are served by and a lost store can be restored from", () => {
    const state = new KnownState();
    const operation = { kind: "operation", key: "o", value: {}, revision: 1 };
    state.applySnapshot({ head: head("e", 1), records: [application("a"), operation] });
    expect(names(state)).toEqual(["a"]);
    const changes = [
      { kind: "operation", key: "p", value: {} },
      { kind: "workload", key: "w", value: {} },
    ];
    state.applyCommit({ head: head("e", 2), changes });
    expect(names(state)).toEqual(["a", "w"]);
  });

  it.each([
    ["up to the revision it knows", { epoch: "e", revision: 3 }, "applied"],
    ["up to a later one", { epoch: "e", revision: 4 }, "applied"],
    ["whatever it had come to", { epoch: "e" }, "applied"],
    ["up to an earlier one", { epoch: "e", revision: 2 }, "regressed"],
    ["of another", { epoch: "d" }, "regressed"],
  ] as const)(
    "follows a store that has taken the place of the one it knows, %s: %o %s",
    (_what, history, applied) => {
      const state = new KnownState();
      state.applySnapshot(snapshot("e", 3, "a", "b"));
      const origin = { kind: "origin", key: "origin", value: { succeeds: [history], left: [] }, revision: 1 };
      expect(state.applySnapshot({ head: head("f", 1), records: [application("a"), origin] })).toBe(applied);
    },
  );

  it("asks to begin anew when a commit is missing, or of another epoch", () => {
    const state = new KnownState();
    expect(state.applyCommit({ head: head("e", 1), changes: [] })).toBe("gap");
    state.applySnapshot(snapshot("e", 3, "a"));
    expect(state.applyCommit({ head: head("e", 5), changes: [] })).toBe("gap");
    expect(state.applyCommit({ head: head("f", 4), changes: [] })).toBe("gap");
    expect(state.head).toEqual(head("e", 3));
  });

  it.each([
    ["an earlier revision", snapshot("e", 2, "a", "b")],
    ["the same revision with another hash", { ...snapshot("e", 3, "a", "b"), head: head("e", 3, "other") }],
    ["a new store that is empty", snapshot("f", 0)],
    ["a new store that has lost an application", snapshot("f", 9, "a")],
  ])("does not go back to %s", (_what, regressed) => {
    const state = new KnownState();
    state.applySnapshot(snapshot("e", 3, "a", "b"));
    expect(state.applySnapshot(regressed)).toBe("regressed");
    expect(names(state)).toEqual(["a", "b"]);
    expect(state.head).toEqual(head("e", 3));
  });

  it("does not go back to a new store that has lost a version", () => {
    const state = new KnownState();
    const version: StateRecord = { kind: "version", key: "m:1", value: versionRecord("m", "1"), revision: 1 };
    state.applySnapshot({ head: head("e", 3), records: [application("a"), version] });
    expect(state.applySnapshot(snapshot("f", 3, "a"))).toBe("regressed");
  });

  it("follows a store that was restored with all it had, and one that went on", () => {
    const state = new KnownState();
    state.applySnapshot(snapshot("e", 3, "a"));
    expect(state.applySnapshot(snapshot("f", 1, "a", "b"))).toBe("applied");
    expect(state.applySnapshot(snapshot("f", 1, "a", "b"))).toBe("known");
    expect(state.applySnapshot(snapshot("f", 7, "b"))).toBe("applied");
    expect(names(state)).toEqual(["b"]);
  });
});
