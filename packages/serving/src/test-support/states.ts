import type { ApplicationRecord, ModelRecord, Payload, VersionRecord } from "@clipper-serving/spec";
import type { ServingState } from "../query-engine.js";

/** Records with everything a test does not care about filled in. */
export function applicationRecord(over: Partial<ApplicationRecord> = {}): ApplicationRecord {
  return {
    name: "app",
    inputType: "strings",
    defaultOutput: "None",
    latencySloMicros: 100_000,
    routes: [{ model: "model", version: "current", weight: 1, mirror: false }],
    policy: "first",
    ...over,
  };
}

export function versionRecord(over: Partial<VersionRecord> = {}): VersionRecord {
  return {
    model: "model",
    version: "1",
    inputType: "strings",
    labels: [],
    bundleDigest: "",
    contentDigest: "",
    containerName: "NO_CONTAINER",
    modelDataPath: "",
    batchSize: -1,
    replicas: 1,
    ...over,
  };
}

export function modelRecord(over: Partial<ModelRecord> = {}): ModelRecord {
  return { name: "model", inputType: "strings", currentVersion: "1", ...over };
}

/** One application linked to one model with one version, unless told otherwise. */
export function servingState(over: Partial<ServingState> = {}): ServingState {
  return {
    applications: [applicationRecord()],
    models: [modelRecord()],
    versions: [versionRecord()],
    ...over,
  };
}

/** An input of type `strings`. */
export function textInput(text: string): Payload {
  return { parts: [{ name: "input", datatype: "BYTES", shape: [], data: new TextEncoder().encode(text) }] };
}
