import { describe, expect, it } from "vitest";
import { putInstances, putRoutes, registerVersion, setCurrentVersion, unregisterVersion } from "./index.js";
import { Records, registration } from "./test-support/records.js";

function instancesOf(records: Records): Record<string, number> {
  return Object.fromEntries(records.view.workloads().map(({ id, instances }) => [id, instances]));
}

describe("registerVersion", () => {
  it("makes the version current, and remembers what was", () => {
    const records = new Records();
    records.do((view) => registerVersion(view, "m", registration("1", { labels: ["a"] })));
    const { model, version } = records.do((view) => registerVersion(view, "m", registration("2")));
    expect(model).toEqual({ name: "m", inputType: "doubles", currentVersion: "2", previousVersion: "1" });
    expect(version).toEqual({
      model: "m",
      version: "2",
      inputType: "doubles",
      labels: [],
      bundleDigest: "",
      contentDigest: "sha256:m2",
      containerName: "NO_CONTAINER",
      modelDataPath: "",
      batchSize: -1,
      replicas: 0,
    });
  });

  it.each([
    [{ batchSize: 0 }, "The batch size must be positive or DEFAULT_BATCH_SIZE, which is -1"],
    [{ batchSize: -2 }, "The batch size must be positive or DEFAULT_BATCH_SIZE, which is -1"],
    [{ batchSize: 1.5 }, "The batch size must be positive or DEFAULT_BATCH_SIZE, which is -1"],
    [{ version: "1,2" }, "Invalid model version supplied: 1,2. Contains one of: ',', ':'"],
    [{ labels: ["a:b"] }, "Invalid label supplied: a:b. Contains one of: ',', ':'"],
    [{ version: "1" }, "model with name 'm' and version '1' already exists"],
    [
      { inputType: "integers" as const },
      "Model with name 'm' is already linked to app 'app' using input type 'doubles'. The input type you provided for a new version of the model, 'integers', is not compatible.",
    ],
  ])("refuses %j in Clipper's words", (body, message) => {
    const records = new Records();
    records.do((view) => registerVersion(view, "m", registration("1")));
    records.addApplication("app", "m");
    const before = records.view;
    expect(() => registerVersion(records.view, "m", registration("2", body))).toThrow(
      expect.objectContaining({ message }),
    );
    expect(records.view).toBe(before);
  });

  it("refuses upper case and '_' in names, and takes both from Clipper's clients", () => {
    const { view } = new Records();
    const body = registration("V_1");
    expect(() => registerVersion(view, "m", body)).toThrow(expect.objectContaining({ code: "INVALID_NAME" }));
    expect(registerVersion(view, "My_Model", body, { names: "clipper" }).result.version).toMatchObject({
      model: "My_Model",
      version: "V_1",
    });
  });

  it("may change the input type of a model that nothing is linked to", () => {
    const records = new Records();
    records.do((view) => registerVersion(view, "m", registration("1")));
    const { model } = records.do((view) =>
      registerVersion(view, "m", registration("2", { inputType: "strings" })),
    );
    expect(model.inputType).toBe("strings");
  });
});

describe("what was current before", () => {
  it("keeps its replicas, and what is older is scaled to 0", () => {
    const records = new Records();
    for (const version of ["1", "2", "3"]) records.deploy("m", version);
    expect(instancesOf(records)).toEqual({ "w-m-1": 0, "w-m-2": 2, "w-m-3": 2 });
    expect(records.view.version({ model: "m", version: "1" })?.replicas).toBe(2);
  });

  it("is counted by keepWarm", () => {
    const records = new Records();
    for (const version of ["1", "2", "3", "4"]) records.deploy("m", version, { keepWarm: 2 });
    expect(instancesOf(records)).toEqual({ "w-m-1": 0, "w-m-2": 2, "w-m-3": 2, "w-m-4": 2 });
    records.deploy("m", "5", { keepWarm: 0 });
    expect(instancesOf(records)).toEqual({ "w-m-1": 0, "w-m-2": 0, "w-m-3": 0, "w-m-4": 0, "w-m-5": 2 });
  });

  it("is what a rollback came from or went to, not what was deployed last", () => {
    const records = new Records();
    for (const version of ["1", "2", "3"]) records.deploy("m", version);
    records.do((view) => setCurrentVersion(view, "m", { version: "1" }));
    records.deploy("m", "4");
    expect(records.view.model("m")).toMatchObject({ currentVersion: "4", previousVersion: "1" });
    expect(instancesOf(records)).toEqual({ "w-m-1": 2, "w-m-2": 0, "w-m-3": 0, "w-m-4": 2 });
  });

  it("stays warm however old while a route names it", () => {
    const records = new Records();
    records.deploy("m", "1");
    records.addApplication("pinned");
    records.do((view) =>
      putRoutes(view, "pinned", { routes: [{ model: "m", version: "1", weight: 1, mirror: false }] }),
    );
    for (const version of ["2", "3"]) records.deploy("m", version);
    expect(instancesOf(records)).toEqual({ "w-m-1": 2, "w-m-2": 2, "w-m-3": 2 });
  });

  it("of other models is left alone", () => {
    const records = new Records();
    for (const model of ["m", "n"]) for (const version of ["1", "2", "3"]) records.deploy(model, version);
    expect(instancesOf(records)).toMatchObject({ "w-n-1": 0, "w-n-2": 2, "w-n-3": 2, "w-m-3": 2 });
  });
});

describe("setCurrentVersion", () => {
  it("raises the replicas of a version that has none, in the same commit", () => {
    const records = new Records();
    for (const version of ["1", "2", "3"]) records.deploy("m", version);
    const { changes, result } = setCurrentVersion(records.view, "m", { version: "1" });
    expect(result).toMatchObject({ currentVersion: "1", previousVersion: "3" });
    expect(changes.map(({ kind, key }) => `${kind} ${key}`)).toEqual(["model m", "workload w-m-1"]);
    records.commit(changes);
    expect(instancesOf(records)).toEqual({ "w-m-1": 2, "w-m-2": 2, "w-m-3": 2 });
  });

  it("raises one replica where 0 were wished for", () => {
    const records = new Records();
    for (const version of ["1", "2"]) records.deploy("m", version);
    records.do((view) => putInstances(view, "w-m-1", { instances: 0 }));
    records.do((view) => setCurrentVersion(view, "m", { version: "1" }));
    expect(instancesOf(records)["w-m-1"]).toBe(1);
  });

  it("changes nothing for the version that is current", () => {
    const records = new Records();
    records.deploy("m", "1");
    expect(setCurrentVersion(records.view, "m", { version: "1" }).changes).toEqual([]);
  });

  it("refuses what is not there in Clipper's words", () => {
    const records = new Records();
    records.deploy("m", "1");
    expect(() => setCurrentVersion(records.view, "x", { version: "1" })).toThrow(
      "Cannot set version for nonexistent model 'x'",
    );
    expect(() => setCurrentVersion(records.view, "m", { version: "9" })).toThrow(
      "Cannot set non-existent version '9' for model with name 'm'",
    );
  });
});

describe("unregisterVersion", () => {
  it("clears the current pointer and removes the workload; routes stay", () => {
    const records = new Records();
    for (const version of ["1", "2"]) records.deploy("m", version);
    records.addApplication("app", "m");
    records.do((view) => unregisterVersion(view, { model: "m", version: "2" }));
    expect(records.view.model("m")).toMatchObject({ name: "m", previousVersion: "1" });
    expect(records.view.model("m")).not.toHaveProperty("currentVersion");
    expect(instancesOf(records)).toEqual({ "w-m-1": 2 });
    expect(records.view.application("app")?.routes).toHaveLength(1);
  });

  it("forgets the model with its last version; a route to it stays, and fits the next one of its type only", () => {
    const records = new Records();
    records.deploy("m", "1");
    records.addApplication("app", "m");
    records.do((view) => unregisterVersion(view, { model: "m", version: "1" }));
    expect(records.view.models()).toEqual([]);
    expect(() => registerVersion(records.view, "m", registration("2", { inputType: "bytes" }))).toThrow(
      expect.objectContaining({ code: "INPUT_TYPE_MISMATCH" }),
    );
    records.deploy("m", "1");
    expect(records.view.model("m")?.currentVersion).toBe("1");
  });

  it("says in Clipper's words that there is none", () => {
    expect(() => unregisterVersion(new Records().view, { model: "m", version: "1" })).toThrow(
      "model with name 'm' and version '1' does not exist",
    );
  });
});
