import { describe, expect, it } from "vitest";
import { StateView } from "./index.js";
import { emptyView } from "./test-support/records.js";

const HEAD = { epoch: "e", revision: 1, hash: "1".repeat(64) };
const APP = {
  name: "a",
  inputType: "doubles",
  defaultOutput: "0",
  latencySloMicros: 1,
  routes: [],
  policy: "first",
};

describe("StateView", () => {
  it("finds records by kind and key, each with its revision, lists them by key", () => {
    const view = emptyView().after({
      head: HEAD,
      changes: [
        { kind: "application", key: "b", value: { ...APP, name: "b" } },
        { kind: "application", key: "a", value: APP },
        { kind: "version", key: "m:1", value: { model: "m", version: "1" } },
      ],
    });
    expect(view.head).toEqual(HEAD);
    expect(view.application("a")).toEqual({ ...APP, revision: 1 });
    expect(view.application("__proto__")).toBeUndefined();
    expect(view.applications().map(({ name }) => name)).toEqual(["a", "b"]);
    expect(view.version({ model: "m", version: "1" })).toMatchObject({ revision: 1 });
    expect(view.model("m")).toBeUndefined();
  });

  it("does not change when a commit makes a newer one", () => {
    const one = emptyView().after({
      head: HEAD,
      changes: [{ kind: "application", key: "a", value: APP }],
    });
    const two = one.with([{ kind: "application", key: "a" }]);
    expect(two.application("a")).toBeUndefined();
    expect(two.head.revision).toBe(2);
    expect(one.application("a")).toBeDefined();
  });

  it("gives back the snapshot it was made from, records of unknown kinds included", () => {
    const snapshot = {
      head: HEAD,
      records: [
        { kind: "application", key: "a", value: APP, revision: 1 },
        { kind: "from the future", key: "x", value: 1, revision: 1 },
      ],
    };
    expect(new StateView(snapshot).snapshot()).toEqual(snapshot);
  });
});
