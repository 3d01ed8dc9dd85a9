import { describe, expect, it } from "vitest";
import { createApplication, deleteApplication, registerVersion } from "./index.js";
import { emptyView, Records, registration } from "./test-support/records.js";

const BODY = {
  name: "digits",
  inputType: "doubles",
  defaultOutput: "-1",
  latencySloMicros: 100_000,
} as const;

describe("createApplication", () => {
  it("makes an application without routes", () => {
    const { changes, result } = createApplication(emptyView(), BODY);
    expect(result).toEqual({ ...BODY, routes: [], policy: "first" });
    expect(changes).toEqual([{ kind: "application", key: "digits", value: result }]);
  });

  it("refuses a name that is taken, in Clipper's words", () => {
    const records = new Records();
    records.addApplication("digits");
    expect(() => createApplication(records.view, BODY)).toThrow(
      expect.objectContaining({
        code: "APPLICATION_EXISTS",
        message: "application 'digits' already exists",
      }),
    );
  });

  it.each([0, -1, 1.5, 2_147_483_648, Number.NaN])("refuses an objective of %s µs", (latencySloMicros) => {
    expect(() => createApplication(emptyView(), { ...BODY, latencySloMicros })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it.each([
    ["", false],
    [" ", false],
    [".*", false],
    ["a/b", false],
    ["../x", false],
    ["a?b", false],
    ["metrics", false],
    ["admin", false],
    ["__proto__", false],
    ["_a", false],
    ["a".repeat(64), false],
    ["аpp", false],
    ["My_App.2", true],
  ])("takes the name %j from nobody, or from Clipper's clients alone (%s)", (name, takesFromClipper) => {
    const refused = expect.objectContaining({ code: "INVALID_NAME" });
    expect(() => createApplication(emptyView(), { ...BODY, name })).toThrow(refused);
    const fromClipper = () => createApplication(emptyView(), { ...BODY, name }, { names: "clipper" });
    if (takesFromClipper) expect(fromClipper().result.name).toBe(name);
    else expect(fromClipper).toThrow(refused);
  });

  describe("with a model", () => {
    const linked = (inputType: "doubles" | "strings", p50Micros: number, force = false) => {
      const records = new Records();
      const floor = [{ batchSize: 1, p50Micros, p99Micros: p50Micros }];
      records.do((view) => registerVersion(view, "m", registration("1", { inputType, floor })));
      const routes = [{ model: "m", version: "current", weight: 1, mirror: false }];
      return createApplication(records.view, { ...BODY, routes, force });
    };

    it("is linked in the same commit", () => {
      const { changes, result } = linked("doubles", 1_000);
      expect(result.routes).toMatchObject([{ model: "m", version: "current" }]);
      expect(changes).toEqual([{ kind: "application", key: "digits", value: result }]);
    });

    it.each([
      ["INPUT_TYPE_MISMATCH", "strings", 1_000],
      ["SLO_BELOW_FLOOR", "doubles", 200_000],
    ] as const)("is refused with its link: %s", (code, inputType, p50Micros) => {
      expect(() => linked(inputType, p50Micros)).toThrow(expect.objectContaining({ code }));
    });

    it("is linked to a slower one when forced", () => {
      expect(linked("doubles", 200_000, true).result.routes).toHaveLength(1);
    });
  });

  it("refuses a default output of more than 64 KiB", () => {
    expect(() => createApplication(emptyView(), { ...BODY, defaultOutput: "x".repeat(65_537) })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });
});

describe("deleteApplication", () => {
  it("takes the routes with it, so that a later one of the name inherits nothing", () => {
    const records = new Records();
    records.do((view) => registerVersion(view, "m", registration("1")));
    records.addApplication("digits", "m");
    records.do((view) => deleteApplication(view, "digits"));
    expect(records.view.application("digits")).toBeUndefined();
    expect(records.do((view) => createApplication(view, BODY)).routes).toEqual([]);
  });

  it("says in Clipper's words that there is none", () => {
    expect(() => deleteApplication(emptyView(), "digits")).toThrow(
      expect.objectContaining({ code: "NOT_FOUND", message: "Application 'digits' does not exist" }),
    );
  });
});
