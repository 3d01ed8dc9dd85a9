import { describe, expect, it } from "vitest";
import { plannedRole } from "./planned-name.js";

const model = { "clipper.model": "digits", "clipper.version": "v-1" };
const frontend = { "clipper.role": "frontend" };
const digest = "0123456789ab";

describe("plannedRole", () => {
  it("knows the names that images are planned under", () => {
    expect(plannedRole(`clipper/digits:v-1-${digest}`, model)).toBe("model");
    expect(plannedRole(`clipper/frontend:${digest}`, frontend)).toBe("frontend");
    // Planned on an image of ours.
    expect(plannedRole(`clipper/digits:v-1-${digest}`, { ...frontend, ...model })).toBe("model");
    expect(plannedRole(`clipper/frontend:${digest}`, { ...frontend, ...model })).toBe("frontend");
  });

  it.each([
    ["another's name for an image built on ours", "team/digits:1", model],
    ["a version of another model", `clipper/other:v-1-${digest}`, model],
    ["another version", `clipper/digits:2-${digest}`, model],
    ["a tag without a digest", "clipper/digits:v-1", model],
    ["a copy for a registry", `registry.example/clipper/digits:v-1-${digest}`, model],
    ["our name on an image without our labels", `clipper/frontend:${digest}`, {}],
    ["a name without a tag", "clipper/frontend", frontend],
    ["no name", "<none>:<none>", frontend],
  ])("leaves alone what has %s", (_what, name, labels) => {
    expect(plannedRole(name, labels as Record<string, string>)).toBeUndefined();
  });
});
