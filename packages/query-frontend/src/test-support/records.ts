import type {
  ApplicationRecord,
  InputType,
  ModelRecord,
  StateChange,
  VersionRecord,
} from "@clipper-serving/spec";

export function applicationRecord(
  name: string,
  fields: Partial<ApplicationRecord> & { model?: string } = {},
): ApplicationRecord {
  const { model, ...rest } = fields;
  return {
    name,
    inputType: "doubles",
    defaultOutput: "-1.0",
    latencySloMicros: 2_000_000,
    routes: model === undefined ? [] : [{ model, version: "current", weight: 1, mirror: false }],
    policy: "first",
    ...rest,
  };
}

export function versionRecord(
  model: string,
  version: string,
  inputType: InputType = "doubles",
  replicas = 1,
): VersionRecord {
  return {
    model,
    version,
    inputType,
    labels: [],
    bundleDigest: "",
    contentDigest: "",
    containerName: "NO_CONTAINER",
    modelDataPath: "",
    batchSize: -1,
    replicas,
  };
}

export const put = {
  application: (value: ApplicationRecord): StateChange => ({ kind: "application", key: value.name, value }),
  model: (name: string, currentVersion: string, inputType: InputType = "doubles"): StateChange => ({
    kind: "model",
    key: name,
    value: { name, inputType, currentVersion } satisfies ModelRecord,
  }),
  version: (value: VersionRecord): StateChange => ({
    kind: "version",
    key: `${value.model}:${value.version}`,
    value,
  }),
};
