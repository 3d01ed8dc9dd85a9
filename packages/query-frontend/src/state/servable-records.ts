import type { ServingState } from "@clipper-serving/serving";
import {
  type ApplicationRecord,
  INPUT_TYPES,
  type ModelRecord,
  type StateRecord,
  type VersionRecord,
} from "@clipper-serving/spec";

const MAX_SLO_MICROS = 2 ** 31 - 1;
/** Kept for the store's sake. */
const OTHER_KINDS: ReadonlySet<string> = new Set(["workload", "origin"]);

/**
 * The records that queries can be served by. One that is not what its kind promises (a newer management frontend's, a damaged store's) is left out, and
 * costs no other record anything.
 */
export function servableRecords(
  records: Iterable<StateRecord>,
  onUnusable: (record: StateRecord) => void,
): ServingState {
  const applications: ApplicationRecord[] = [];
  const models: ModelRecord[] = [];
  const versions: VersionRecord[] = [];
  for (const record of records) {
    const { kind, value } = record;
    if (kind === "application" && isApplication(value)) applications.push(value);
    else if (kind === "model" && isModel(value)) models.push(value);
    else if (kind === "version" && isVersion(value)) versions.push(value);
    else if (!OTHER_KINDS.has(kind)) onUnusable(record);
  }
  return { applications, models, versions };
}

type Fields<Kind> = { readonly [Key in keyof Kind]?: unknown };

function isApplication(value: unknown): value is ApplicationRecord {
  const { name, inputType, defaultOutput, latencySloMicros, routes, policy } =
    fieldsOf<ApplicationRecord>(value);
  return (
    typeof name === "string" &&
    isInputType(inputType) &&
    typeof defaultOutput === "string" &&
    Number.isInteger(latencySloMicros) &&
    (latencySloMicros as number) >= 1 &&
    (latencySloMicros as number) <= MAX_SLO_MICROS &&
    typeof policy === "string" &&
    Array.isArray(routes) &&
    routes.every(isRoute)
  );
}

function isRoute(value: unknown): boolean {
  const { model, version, weight, mirror } = fieldsOf<ApplicationRecord["routes"][number]>(value);
  return (
    typeof model === "string" &&
    typeof version === "string" &&
    typeof weight === "number" &&
    typeof mirror === "boolean"
  );
}

function isModel(value: unknown): value is ModelRecord {
  const { name, inputType, currentVersion } = fieldsOf<ModelRecord>(value);
  return (
    typeof name === "string" &&
    isInputType(inputType) &&
    (currentVersion === undefined || typeof currentVersion === "string")
  );
}

function isVersion(value: unknown): value is VersionRecord {
  const { model, version, inputType, batchSize, replicas } = fieldsOf<VersionRecord>(value);
  return (
    typeof model === "string" &&
    typeof version === "string" &&
    isInputType(inputType) &&
    Number.isInteger(batchSize) &&
    Number.isInteger(replicas)
  );
}

function fieldsOf<Kind>(value: unknown): Fields<Kind> {
  return typeof value === "object" && value !== null ? (value as Fields<Kind>) : {};
}

function isInputType(value: unknown): boolean {
  return (INPUT_TYPES as readonly unknown[]).includes(value);
}
