import { InvalidArgumentError } from "@clipper-serving/spec";

/** Most instances one workload may have. */
const MAX_INSTANCES = 1_000;

const MAX_INT32 = 2 ** 31 - 1;

export function checkLatencySlo(micros: number): void {
  if (Number.isInteger(micros) && micros >= 1 && micros <= MAX_INT32) return;
  throw new InvalidArgumentError({
    argument: "the latency objective",
    value: micros,
    expected: `a whole number of microseconds from 1 to ${MAX_INT32}`,
  });
}

export function checkBatchSize(batchSize: number): void {
  if (batchSize === -1 || (Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= MAX_INT32)) return;
  throw new InvalidArgumentError({
    argument: "batchSize",
    value: batchSize,
    expected: "positive, or -1 for one that the frontend finds",
    message: "The batch size must be positive or DEFAULT_BATCH_SIZE, which is -1",
  });
}

export function checkInstances(argument: "instances" | "replicas" | "keepWarm", count: number): void {
  if (Number.isInteger(count) && count >= 0 && count <= MAX_INSTANCES) return;
  throw new InvalidArgumentError({
    argument,
    value: count,
    expected: `a whole number from 0 to ${MAX_INSTANCES}`,
  });
}

export function checkWeight(weight: number): void {
  if (Number.isFinite(weight) && weight >= 0) return;
  throw new InvalidArgumentError({ argument: "weight", value: weight, expected: "a number of 0 or more" });
}
