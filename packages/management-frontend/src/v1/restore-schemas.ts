import { INPUT_TYPES } from "@clipper-serving/spec";
import { z } from "zod";
import { workloadBody } from "./schemas.js";

/*
 * The shapes of states that are given back. Records are checked as far as this version knows them, and kept with whatever else is in them.
 */

/** Of a whole state; other bodies are about one record. */
export const SNAPSHOT_BYTES = 32 * 1_024 * 1_024;
/** With what else is said of it. */
export const RESTORE_BYTES = SNAPSHOT_BYTES + 8 * 1_024 * 1_024;

const MAX_INT32 = 2 ** 31 - 1;
/** Of any length: what was once taken as a record, by whichever interface, is taken again. */
const text = z.string();
const name = z.string().min(1).max(256);
const head = z.object({ epoch: name, revision: z.int().min(0), hash: z.string().max(128) });

const recordOf = <Value extends z.ZodType>(kind: string, value: Value) =>
  z.object({ kind: z.literal(kind), key: z.string().max(1_024), value, revision: z.int().min(0) });

const application = z.looseObject({
  name,
  inputType: z.enum(INPUT_TYPES),
  defaultOutput: z.string(),
  latencySloMicros: z.int().min(1).max(MAX_INT32),
  routes: z.array(
    z.looseObject({ model: text, version: text, weight: z.number().min(0), mirror: z.boolean() }),
  ),
  policy: text,
});

const model = z.looseObject({
  name,
  inputType: z.enum(INPUT_TYPES),
  currentVersion: text.exactOptional(),
  previousVersion: text.exactOptional(),
});

const version = z.looseObject({
  model: name,
  version: name,
  inputType: z.enum(INPUT_TYPES),
  labels: z.array(text),
  bundleDigest: text,
  contentDigest: text,
  containerName: text,
  modelDataPath: text,
  batchSize: z.int(),
  workload: text.exactOptional(),
  replicas: z.int().min(0),
});

const origin = z.looseObject({
  succeeds: z.array(z.looseObject({ epoch: name, revision: z.int().min(0).exactOptional() })),
  left: z.array(text),
});

const record = z.union([
  recordOf("application", application),
  recordOf("model", model),
  recordOf("version", version),
  recordOf("workload", workloadBody.loose()),
  recordOf("origin", origin),
]);

/** As a frontend sends it: held, and looked at when it is restored. */
export const snapshotBody = z.object({
  head,
  records: z.array(
    z.object({ kind: name, key: z.string().max(1_024), value: z.unknown(), revision: z.int().min(0) }),
  ),
});

export const restoreBody = z.strictObject({
  expected: head,
  snapshot: z.strictObject({ head, records: z.array(record) }),
  left: z.array(text).max(100_000),
});

export const acceptLossBody = z.strictObject({
  expected: head,
  epochs: z.array(name).max(1_000),
});
