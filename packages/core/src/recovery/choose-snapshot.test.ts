import { EPOCH_LABEL, type HeldSnapshot } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { chooseSnapshot } from "./choose-snapshot.js";

function held(frontend: string, epoch: string, revision: number, succeeds: string[] = []): HeldSnapshot {
  const value = { succeeds: succeeds.map((each) => ({ epoch: each })), left: [] };
  const records = succeeds.length === 0 ? [] : [{ kind: "origin", key: "origin", value, revision: 1 }];
  return { frontends: frontend.split(" "), snapshot: { head: { epoch, revision, hash: "" }, records } };
}

const replica = (epoch: string) => ({ labels: { [EPOCH_LABEL]: epoch } });

describe("the freshest of the frontends' snapshots", () => {
  it.each([
    ["the only one", [held("a", "e", 1)], "a"],
    ["the highest revision of one history", [held("a", "e", 7), held("b", "e", 9), held("c", "e", 8)], "b"],
    ["the history that took the other's place", [held("a", "e", 90), held("b", "f", 2, ["e"])], "b"],
    ["the same, in the other order", [held("b", "f", 2, ["e"]), held("a", "e", 90)], "b"],
    ["the history that running replicas are of", [held("a", "g", 90), held("b", "e", 2)], "b"],
    ["else the one that more frontends hold", [held("a", "x", 90), held("b c", "y", 2)], "b c"],
  ])("is %s", (_what, all, expected) => {
    const chosen = chooseSnapshot(all, [replica("e"), replica("e"), replica("g")]);
    expect(chosen?.frontends.join(" ")).toBe(expected);
  });

  it("is none when there is none", () => {
    expect(chooseSnapshot([], [replica("e")])).toBeUndefined();
  });
});
