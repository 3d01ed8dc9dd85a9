import type { Outcome, Query, ResolvedRoute } from "@clipper-serving/spec";
import { textPayload } from "@clipper-serving/testing";
import { expect, it } from "vitest";
import { Dice } from "../test-support/simulation/dice.js";
import { applicationRecord, textInput } from "../test-support/states.js";
import { selectionPolicies } from "./selection-policies.js";

const policies = selectionPolicies();
const first = policies.get("first")!;
const weighted = policies.get("weighted")!;
const query: Query = {
  id: 7,
  application: "app",
  inputType: "strings",
  input: textInput("a"),
  deadlineMicros: 1,
};

function route(version: string, weight: number, mirror = false): ResolvedRoute {
  return { target: { model: "model", version }, weight, mirror };
}

function chosen(routes: ResolvedRoute[], random: () => number = () => 0): string[] {
  return weighted.select(query, routes, random).map(({ version }) => version);
}

it("first takes the first route that answers, and the mirrors behind it", () => {
  const routes = [route("shadow", 1, true), route("1", 0), route("2", 5)];
  expect(first.select(query, routes, () => 0.9).map(({ version }) => version)).toEqual(["1", "shadow"]);
  expect(first.select(query, [route("shadow", 1, true)], () => 0)).toEqual([]);
});

it("weighted takes each route as often as its weight says, and never one without weight", () => {
  const dice = new Dice(3);
  const counts: Record<string, number> = { a: 0, b: 0, none: 0 };
  const routes = [route("a", 9), route("none", 0), route("b", 1), route("shadow", 1, true)];
  for (let draw = 0; draw < 10_000; draw++) {
    const [primary, ...mirrors] = chosen(routes, dice.roll);
    counts[primary!]!++;
    expect(mirrors).toEqual(["shadow"]);
  }
  expect(counts.none).toBe(0);
  expect(counts.a! / 10_000).toBeCloseTo(0.9, 1);
  expect(chosen([route("a", 1), route("b", 1)], () => 0.999_999_999_999)).toEqual(["b"]);
  expect(chosen([route("none", 0)])).toEqual([]);
  expect(chosen([])).toEqual([]);
});

it("both wait for the answer of the first target and give it whatever the others say", () => {
  const app = applicationRecord();
  const targets = [route("1", 1).target, route("shadow", 1).target];
  const ok: Outcome = { ok: true, output: textPayload("one"), cached: false };
  const failed: Outcome = { ok: false, error: { reason: "model_error", message: "E" } };
  for (const policy of [first, weighted]) {
    expect(policy.combine(query, app, targets, [undefined, ok], false)).toBeUndefined();
    expect(policy.combine(query, app, targets, [ok, undefined], false)).toMatchObject({
      queryId: 7,
      servedBy: { version: "1" },
    });
    expect(policy.combine(query, app, targets, [failed, ok], true)).toMatchObject({ reason: "model_error" });
    expect(policy.combine(query, app, targets, [undefined, ok], true)).toMatchObject({ reason: "deadline" });
  }
});

it("a policy handed over replaces the one of its name", () => {
  const mine = { ...first, name: "weighted" };
  expect(selectionPolicies([mine]).get("weighted")).toBe(mine);
  expect(selectionPolicies([{ ...first, name: "mine" }]).size).toBe(3);
});
