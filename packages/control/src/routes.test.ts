import { describe, expect, it } from "vitest";
import { linkModels, putRoutes, registerVersion, unlinkModels, unregisterVersion } from "./index.js";
import { Records, registration } from "./test-support/records.js";

function withModels(): Records {
  const records = new Records();
  records.addApplication("app");
  records.do((view) => registerVersion(view, "m", registration("1")));
  records.do((view) => registerVersion(view, "n", registration("1", { model: "n" })));
  records.do((view) => registerVersion(view, "ints", registration("1", { inputType: "integers" })));
  return records;
}

const route = (model: string, version = "current") => ({ model, version, weight: 1, mirror: false });

describe("linkModels", () => {
  it("makes one route to whichever version is current", () => {
    const records = withModels();
    expect(records.do((view) => linkModels(view, "app", ["m"])).routes).toEqual([route("m")]);
  });

  it.each([
    ["none", ["m"], "No app with name 'none' exists."],
    ["app", ["x"], "No model with name 'x' exists."],
    ["app", ["m", "x"], "No model with name 'x' exists."],
    [
      "app",
      ["ints"],
      "Model with name 'ints' has incompatible input_type 'integers'. Requested app to link to has input_type 'doubles'.",
    ],
    ["app", [], "Please provide the name of the model that you want to link to the application 'app'"],
    [
      "app",
      ["m", "n"],
      "Applications must be linked with at most one model. Attempted to add links to 2 models.",
    ],
    ["linked", ["m"], "The model with name 'm' is already linked to 'linked'"],
    ["linked", ["n"], "A model with name m is already linked to 'linked'."],
  ])("refuses to link %s to %j in Clipper's words", (app, models, message) => {
    const records = withModels();
    records.addApplication("linked", "m");
    expect(() => linkModels(records.view, app, models)).toThrow(expect.objectContaining({ message }));
  });

  it("does not link a model whose current version was stopped", () => {
    const records = withModels();
    records.do((view) => registerVersion(view, "m", registration("2")));
    records.do((view) => unregisterVersion(view, { model: "m", version: "2" }));
    expect(() => linkModels(records.view, "app", ["m"])).toThrow("No model with name 'm' exists.");
  });
});

describe("an objective below the measured floor", () => {
  const floor = [
    { batchSize: 1, p50Micros: 340_500, p99Micros: 390_000 },
    { batchSize: 8, p50Micros: 350_000, p99Micros: 360_000 },
  ];

  it("is refused with both numbers, unless forced", () => {
    const records = withModels();
    records.do((view) => registerVersion(view, "spark", registration("1", { floor })));
    const refused = expect.objectContaining({
      code: "SLO_BELOW_FLOOR",
      message: expect.stringMatching(/100 ms.*340\.5 ms/),
      facts: expect.objectContaining({ latencySloMicros: 100_000, floorMicros: 340_500 }),
    });
    expect(() => linkModels(records.view, "app", ["spark"])).toThrow(refused);
    expect(() => putRoutes(records.view, "app", { routes: [route("spark")] })).toThrow(refused);
    expect(linkModels(records.view, "app", ["spark"], { force: true }).result.routes).toHaveLength(1);
    const forced = putRoutes(records.view, "app", { routes: [route("spark")], force: true });
    expect(forced.result.routes).toHaveLength(1);
  });

  it("is refused too when a new version of a linked model is slower", () => {
    const records = withModels();
    records.do((view) => linkModels(view, "app", ["m"]));
    expect(() => registerVersion(records.view, "m", registration("2", { floor }))).toThrow(
      expect.objectContaining({ code: "SLO_BELOW_FLOOR" }),
    );
    expect(
      registerVersion(records.view, "m", registration("2", { floor, force: true })).result.model,
    ).toEqual(expect.objectContaining({ currentVersion: "2" }));
  });

  it("does not matter to a mirror, whose answers nobody waits for", () => {
    const records = withModels();
    records.do((view) => registerVersion(view, "spark", registration("1", { floor })));
    const routes = [route("m"), { ...route("spark"), mirror: true }];
    expect(putRoutes(records.view, "app", { routes }).result.routes).toEqual(routes);
  });
});

describe("putRoutes", () => {
  it("replaces the routes, by weight and to versions as asked", () => {
    const records = withModels();
    const routes = [{ ...route("m"), weight: 9 }, route("n", "1")];
    records.do((view) => putRoutes(view, "app", { routes }));
    expect(records.view.application("app")?.routes).toEqual(routes);
    records.do((view) => putRoutes(view, "app", { routes: [] }));
    expect(records.view.application("app")?.routes).toEqual([]);
  });

  it("keeps a route to a model that was stopped meanwhile", () => {
    const records = withModels();
    records.do((view) => putRoutes(view, "app", { routes: [route("m")] }));
    records.do((view) => unregisterVersion(view, { model: "m", version: "1" }));
    const routes = [route("m"), route("n")];
    expect(records.do((view) => putRoutes(view, "app", { routes })).routes).toEqual(routes);
  });

  it.each([
    [[route("x")], "NOT_FOUND"],
    [[route("m", "7")], "NOT_FOUND"],
    [[route("ints")], "INPUT_TYPE_MISMATCH"],
    [[route("m"), route("m")], "INVALID_ARGUMENT"],
    [[{ ...route("m"), weight: -1 }], "INVALID_ARGUMENT"],
    [[{ ...route("m"), weight: Number.NaN }], "INVALID_ARGUMENT"],
  ])("refuses %j as %s", (routes, code) => {
    expect(() => putRoutes(withModels().view, "app", { routes })).toThrow(expect.objectContaining({ code }));
  });
});

describe("unlinkModels", () => {
  it("removes the model's routes and leaves the others", () => {
    const records = withModels();
    records.do((view) => putRoutes(view, "app", { routes: [route("m"), route("n"), route("m", "1")] }));
    expect(records.do((view) => unlinkModels(view, "app", ["m"])).routes).toEqual([route("n")]);
  });

  it("refuses what is not linked in Clipper's words", () => {
    const { view } = withModels();
    expect(() => unlinkModels(view, "none", ["m"])).toThrow("No app with name none exists.");
    expect(() => unlinkModels(view, "app", ["m"])).toThrow(
      "Cannot remove nonexistent link between app app and model m",
    );
  });
});
