import { DEPLOY_STEPS, type InputType, parseInputType } from "@clipper-serving/spec";
import { z } from "zod";

/*
 * The shapes of `/v1`'s bodies. What a value means, and whether it fits the records, is decided by `control`.
 */

const MAX_INT32 = 2 ** 31 - 1;
const MAX_REPLICAS = 1_000;

const text = z.string().max(4_096);
const digest = z.string().max(256);
const count = z.int().min(0).max(MAX_REPLICAS);

/** The canonical name, or one of Clipper's others. */
const inputType = z.string().transform((value, context): InputType => {
  const known = parseInputType(value);
  if (known !== undefined) return known;
  context.addIssue({ code: "custom", message: "must be integers, floats, doubles, strings or bytes" });
  return z.NEVER;
});

const batchSize = z
  .int()
  .max(1_000_000)
  .refine((size) => size === -1 || size >= 1, "must be at least 1, or -1 to have it found");

const modelVersion = z.strictObject({ model: text, version: text });

const route = z.strictObject({
  model: text,
  version: text.default("current"),
  weight: z.number().min(0).default(1),
  mirror: z.boolean().default(false),
  sticky: text.exactOptional(),
});

const floor = z.strictObject({
  batchSize: z.int().min(1),
  p50Micros: z.number().min(0),
  p99Micros: z.number().min(0),
});

export const createApplicationBody = z.strictObject({
  name: z.string(),
  inputType,
  defaultOutput: z.string(),
  latencySloMicros: z.int().min(1).max(MAX_INT32),
  routes: z.array(route).max(64).exactOptional(),
  force: z.boolean().exactOptional(),
});

export const putRoutesBody = z.strictObject({
  routes: z.array(route).max(64),
  force: z.boolean().exactOptional(),
});

export const registerVersionBody = z.strictObject({
  version: z.string(),
  inputType,
  labels: z.array(text).max(64).exactOptional(),
  bundleDigest: digest.exactOptional(),
  contentDigest: digest.exactOptional(),
  containerName: text.exactOptional(),
  modelDataPath: text.exactOptional(),
  batchSize: batchSize.exactOptional(),
  workload: text.exactOptional(),
  replicas: count.exactOptional(),
  floor: z.array(floor).max(64).exactOptional(),
  keepWarm: count.exactOptional(),
  force: z.boolean().exactOptional(),
});

export const putCurrentBody = z.strictObject({ version: text });

export const putInstancesBody = z.strictObject({ instances: count });

const workloadTemplate = z.strictObject({
  labels: z.record(z.string(), text),
  program: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("image"), ref: text, digest: digest.exactOptional() }),
    z.strictObject({ kind: z.literal("directory"), path: text }),
  ]),
  command: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  secrets: z.array(text),
  resources: z.strictObject({
    cpus: z.number().positive().exactOptional(),
    memoryBytes: z.int().positive().exactOptional(),
    gpus: z.int().min(0).exactOptional(),
    scratch: z
      .strictObject({ bytes: z.int().positive().exactOptional(), executable: z.boolean().exactOptional() })
      .exactOptional(),
  }),
  graceMs: z.int().min(0).max(MAX_INT32),
  overlay: z.unknown().exactOptional(),
});

export const workloadBody = z.strictObject({
  id: z.string(),
  spec: workloadTemplate,
  instances: count,
  operation: text.exactOptional(),
});

const operationError = z.strictObject({
  code: text,
  message: z.string().max(65_536),
  facts: z.record(z.string(), z.unknown()).exactOptional(),
});

export const beginOperationBody = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][-a-z0-9]{0,63}$/, "must be at most 64 lower-case letters, digits and '-'")
    .exactOptional(),
  kind: z.enum(["deploy", "scale", "rollback", "stop"]),
  target: modelVersion,
  contentDigest: digest.exactOptional(),
  inputType: inputType.exactOptional(),
});

export const renewOperationBody = z.strictObject({
  phase: z.enum([...DEPLOY_STEPS, "waiting", "done", "failed"]),
  workload: text.exactOptional(),
});

export const finishOperationBody = z.strictObject({ error: operationError.exactOptional() });

/** Not strict, unlike the rest: a frontend one minor version newer may tell more, and must not be forgotten for it. */
const replicaReport = z.object({
  model: text,
  version: text,
  replicaId: text,
  incarnation: text,
  bundleDigest: digest,
  state: z.enum(["parked", "ready", "suspect", "draining"]),
});

export const frontendReportBody = z.object({
  id: z.string().min(1).max(128),
  url: text,
  startedAtMs: z.number().min(0),
  head: z.object({ epoch: text, revision: z.int().min(0), hash: text }).exactOptional(),
  replicas: z.array(replicaReport).max(10_000),
  serving: z.record(z.string(), text),
});
