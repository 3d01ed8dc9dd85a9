import type { BundleNeeds } from "@clipper-serving/deployer-python/pipeline";
import type { DeployTarget } from "@clipper-serving/spec";
import type { SparkOptions } from "./pyspark-options.js";

/** A session takes seconds to come up, the first batches seconds more; on a busy machine several times that. */
const PREFLIGHT_TIMEOUT_MS = 3 * 60_000;

/** The Java that was found here, as the Python side reports it. */
export interface JavaFound {
  readonly home: string;
  readonly version: string;
  readonly major: number;
}

/** What serving a PySpark model needs besides what all Python models do. */
export function sparkNeeds(
  { capabilities }: Pick<DeployTarget, "capabilities">,
  { threads, conf }: SparkOptions,
  java: JavaFound,
): BundleNeeds {
  return {
    env: {
      ...(threads === undefined ? {} : { CLIPPER_SPARK_THREADS: String(threads) }),
      ...(conf === undefined ? {} : { CLIPPER_SPARK_CONF: JSON.stringify(conf) }),
      // The supervisor may have been started where another Java was in reach; an image brings its own.
      ...(capabilities.program === "directory" ? { JAVA_HOME: java.home } : {}),
    },
    ...(threads === undefined && conf === undefined ? {} : { settings: { threads, conf } }),
    preflightTimeoutMs: PREFLIGHT_TIMEOUT_MS,
  };
}
