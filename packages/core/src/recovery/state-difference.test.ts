import type { HeldSnapshot, StateRecord, WorkloadStatus } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { leftRunning, stateDifferences } from "./state-difference.js";

const record = (kind: string, key: string, value: object): StateRecord => ({ kind, key, value, revision: 1 });
const version = (model: string, name: string) =>
  record("version", `${model}:${name}`, { model, version: name, workload: `w-${model}-${name}` });
const workload = (id: string, fields: object = {}) => record("workload", id, { id, instances: 1, ...fields });

function held(
  frontends: string[],
  epoch: string,
  revision: number,
  records: StateRecord[] = [],
): HeldSnapshot {
  return { frontends, snapshot: { head: { epoch, revision, hash: "" }, records } };
}

function running(id: string, model: string, name: string): WorkloadStatus {
  const labels = { "clipper.role": "replica", "clipper.model": model, "clipper.version": name };
  return { id, labels, wanted: 1, specDigest: "", instances: [] };
}

const chosen = held(["a"], "e", 9, [
  version("m", "1"),
  workload("w-m-1"),
  version("m", "0"),
  workload("w-m-0", { instances: 0 }),
  workload("w-m-2", { operation: "op" }),
]);

/** Without what is true of every restoration. */
function differences(replicas: WorkloadStatus[], others: HeldSnapshot[] = []) {
  const all = stateDifferences({ chosen, held: [chosen, ...others], replicas });
  expect(all.at(-1)).toMatchObject({ kind: "not-kept", what: "operations" });
  return all.slice(0, -1);
}

describe("what differs once a snapshot is restored", () => {
  it("is nothing where the platform runs what the records want", () => {
    expect(differences([running("w-m-1", "m", "1"), running("w-m-0", "m", "0")])).toEqual([]);
  });

  it("is a version whose replicas are gone, and none that wanted none", () => {
    expect(differences([])).toMatchObject([
      { kind: "replicas-gone", model: "m", version: "1", workload: "w-m-1" },
    ]);
  });

  it("is what runs and no record knows, which is left, and what a deploy under way had started, which is not", () => {
    const found = differences([
      running("w-m-1", "m", "1"),
      running("w-m-2", "m", "2"),
      running("w-n-1", "n", "1"),
    ]);
    expect(found).toMatchObject([
      { kind: "deploy-undone", model: "m", version: "2", workload: "w-m-2" },
      { kind: "replicas-unknown", model: "n", version: "1", workload: "w-n-1" },
    ]);
    expect(leftRunning(found)).toEqual(["w-n-1"]);
  });

  it("is a frontend of another history, not one that is merely behind", () => {
    const found = differences(
      [running("w-m-1", "m", "1")],
      [held(["behind"], "e", 4), held(["apart", "too"], "z", 1)],
    );
    expect(found).toMatchObject([{ kind: "frontend-apart", frontends: ["apart", "too"] }]);
    expect(found[0]?.message).toContain("apart, too");
  });
});
