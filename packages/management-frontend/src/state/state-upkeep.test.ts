import { beginOperation, putWorkload, StateView } from "@clipper-serving/control";
import type { OperationRecord } from "@clipper-serving/spec";
import { createMemoryStore } from "@clipper-serving/state";
import { ManualClock } from "@clipper-serving/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type UnreliableStore, unreliable } from "../test-support/unreliable-store.js";
import { ClusterState } from "./cluster-state.js";
import { StateUpkeep } from "./state-upkeep.js";

const SECOND = 1_000_000;

let clock: ManualClock;
let store: UnreliableStore;
let state: ClusterState;
let upkeep: StateUpkeep;
let ended: OperationRecord[];
let told: string[];

beforeEach(() => {
  clock = new ManualClock(0);
  store = unreliable(createMemoryStore());
  state = new ClusterState({ store });
  ended = [];
  told = [];
  upkeep = new StateUpkeep({
    state,
    clock,
    nowMs: () => clock.nowMicros() / 1_000,
    onEnded: (operation) => ended.push(operation),
    onFailed: () => told.push("failed"),
    onRecovered: () => told.push("recovered"),
  });
  upkeep.start();
});

afterEach(() => upkeep.stop());

async function beginDeploy(leaseMs: number): Promise<void> {
  const body = { kind: "deploy", target: { model: "m", version: "1" } } as const;
  await state.mutate((view) =>
    beginOperation(view, body, { id: "op", nowMs: clock.nowMicros() / 1_000, leaseMs }),
  );
  await state.mutate((view) => putWorkload(view, { id: "w", instances: 1, operation: "op", spec: SPEC }));
}

const records = async () => new StateView(await store.read());

describe("StateUpkeep", () => {
  it("removes what a deploy wished for once its caller is gone", async () => {
    await beginDeploy(12_000);
    await clock.advanceAsync(11 * SECOND);
    expect((await records()).workloads()).toHaveLength(1);
    await clock.advanceAsync(2 * SECOND);
    expect((await records()).workloads()).toEqual([]);
    expect((await records()).operation("op")).toMatchObject({ phase: "failed" });
    expect(ended.map(({ id }) => id)).toEqual(["op"]);
  });

  it("commits nothing while there is nothing to end", async () => {
    await clock.advanceAsync(20 * SECOND);
    expect((await store.read()).head.revision).toBe(0);
  });

  it("tells once that the store is away, and once that it is back", async () => {
    store.down = true;
    await clock.advanceAsync(5 * SECOND);
    expect([told, upkeep.healthy]).toEqual([["failed"], false]);
    store.down = false;
    await clock.advanceAsync(5 * SECOND);
    expect([told, upkeep.healthy]).toEqual([["failed", "recovered"], true]);
  });
});

const SPEC = {
  labels: {},
  program: { kind: "directory", path: "/srv" },
  command: ["run"],
  env: {},
  secrets: [],
  resources: {},
  graceMs: 1_000,
} as const;
