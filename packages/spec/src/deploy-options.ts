import { checkResources } from "./check-workload.js";
import type { DeployModelRequest } from "./deploy-target.js";
import { InvalidArgumentError } from "./errors/usage-errors.js";

const MAX_REPLICAS = 1_000;
const MAX_BATCH_SIZE = 65_536;
const MAX_SLO_MICROS = 2 ** 31 - 1;

export type DeployOptions = Pick<
  DeployModelRequest,
  "replicas" | "batchSize" | "labels" | "keepWarm" | "readyTimeoutMs" | "resources"
>;

/**
 * Checks what can be checked of a deploy before anything of it is done. Deployers ask at once, `deployModel` for whoever has no deployer.
 * @throws InvalidArgumentError
 */
export function checkDeployOptions({
  replicas = 1,
  batchSize = -1,
  labels = [],
  keepWarm = 1,
  readyTimeoutMs = 1,
  resources = {},
}: DeployOptions): void {
  checkReplicas(replicas);
  if (batchSize !== -1 && !isWhole(batchSize, 1, MAX_BATCH_SIZE))
    refuse("batchSize", batchSize, `-1, or 1 to ${MAX_BATCH_SIZE}`);
  if (!isWhole(keepWarm, 0, MAX_REPLICAS))
    refuse("keepWarm", keepWarm, `a whole number from 0 to ${MAX_REPLICAS}`);
  if (!Number.isFinite(readyTimeoutMs) || readyTimeoutMs <= 0)
    refuse("readyTimeoutMs", readyTimeoutMs, "a number of milliseconds above 0");
  checkResources(resources);
  if (!Array.isArray(labels)) refuse("labels", labels, "an array of text");
  for (const label of labels) {
    if (typeof label !== "string" || /[,:]/.test(label)) refuse("labels", label, "text without ',' and ':'");
  }
}

/** @throws InvalidArgumentError */
export function checkReplicas(replicas: number): void {
  if (!isWhole(replicas, 0, MAX_REPLICAS))
    refuse("replicas", replicas, `a whole number from 0 to ${MAX_REPLICAS}`);
}

/** @returns a latency objective as whole microseconds. @throws InvalidArgumentError */
export function toSloMicros(sloMs: number): number {
  const micros = Math.round(sloMs * 1_000);
  if (!isWhole(micros, 1, MAX_SLO_MICROS)) refuse("sloMs", sloMs, "0.001 to 2147483.647 ms");
  return micros;
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function refuse(argument: string, value: unknown, expected: string): never {
  throw new InvalidArgumentError({ argument, value, expected });
}
