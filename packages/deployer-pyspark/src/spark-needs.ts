import type { BundleNeeds } from "@clipper-serving/deployer-python/pipeline";
import { type DeployTarget, InvalidArgumentError, type WorkloadResources } from "@clipper-serving/spec";
import type { SparkOptions } from "./pyspark-options.js";
import type { SparkHere } from "./spark-here.js";

/** A session takes seconds to come up, the first batches seconds more; on a busy machine several times that. */
const PREFLIGHT_TIMEOUT_MS = 3 * 60_000;
const MIB = 2 ** 20;
/** Spark spills there, and unpacks libraries that it then loads. */
const SCRATCH = { bytes: 1_024 * MIB, executable: true } as const;
/** The rest: Python, what Java keeps outside of its heap, and scratch files where those are in memory. */
const HEAP_SHARE = 0.5;
/** With less Spark does not start. */
const LEAST_HEAP_BYTES = 512 * MIB;
/** What a replica with the least heap takes that serves a small model. */
const LEAST_MEMORY_BYTES = 768 * MIB;

export interface SparkReplica {
  readonly spark: SparkOptions;
  readonly resources: WorkloadResources | undefined;
}

/** What serving a PySpark model needs besides what all Python models do. @throws InvalidArgumentError for too little memory */
export function sparkNeeds(
  { capabilities }: Pick<DeployTarget, "capabilities">,
  { spark: { threads, conf }, resources }: SparkReplica,
  { pyspark, java }: SparkHere,
): BundleNeeds {
  const settings = { ...heapWithin(resources?.memoryBytes), ...conf };
  return {
    pyspark: { version: pyspark, javaMajor: java.major },
    env: {
      ...(threads === undefined ? {} : { CLIPPER_SPARK_THREADS: String(threads) }),
      ...(Object.keys(settings).length === 0 ? {} : { CLIPPER_SPARK_CONF: JSON.stringify(settings) }),
      // The supervisor may have been started where another Java was in reach; an image tells of its own.
      ...(capabilities.program === "directory" ? { JAVA_HOME: java.home } : {}),
    },
    ...(threads === undefined && conf === undefined ? {} : { settings: { threads, conf } }),
    resources: { scratch: SCRATCH },
    preflightTimeoutMs: PREFLIGHT_TIMEOUT_MS,
  };
}

/** Spark's own default is 1 GiB, whatever a replica may have. @throws InvalidArgumentError */
function heapWithin(memoryBytes: number | undefined): Readonly<Record<string, string>> {
  if (memoryBytes === undefined) return {};
  if (memoryBytes < LEAST_MEMORY_BYTES) {
    throw new InvalidArgumentError({
      argument: "resources.memoryBytes",
      value: memoryBytes,
      expected: `at least ${LEAST_MEMORY_BYTES} (768 MiB) for a PySpark model`,
    });
  }
  const bytes = Math.max(LEAST_HEAP_BYTES, memoryBytes * HEAP_SHARE);
  return { "spark.driver.memory": `${Math.floor(bytes / MIB)}m` };
}
