import { ConflictError, type FrontendReport } from "@clipper-serving/spec";
import { ManualClock } from "@clipper-serving/testing";
import { describe, expect, it } from "vitest";
import { FrontendRegistry } from "./frontend-registry.js";

const report = (id: string): FrontendReport => ({ id, url: "", startedAtMs: 0, replicas: [], serving: {} });

describe("FrontendRegistry", () => {
  it("forgets a frontend that did not report within its lease", () => {
    const clock = new ManualClock();
    const registry = new FrontendRegistry({ clock, nowMs: () => 0, leaseMs: 5_000 });
    registry.report(report("a"));
    clock.advance(4_000_000);
    registry.report(report("b"));
    expect(registry.live().map(({ id }) => id)).toEqual(["a", "b"]);
    clock.advance(1_000_000);
    expect(registry.live().map(({ id }) => id)).toEqual(["b"]);
  });

  it("keeps only so many, until one is forgotten", () => {
    const clock = new ManualClock();
    const registry = new FrontendRegistry({ clock, nowMs: () => 0, limit: 1 });
    registry.report(report("a"));
    registry.report(report("a"));
    expect(() => registry.report(report("b"))).toThrow(ConflictError);
    clock.advance(5_000_000);
    expect(registry.report(report("b"))).toEqual({ leaseMs: 5_000 });
  });
});
