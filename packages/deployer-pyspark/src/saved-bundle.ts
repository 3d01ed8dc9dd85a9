import type { SavedBundleOptions } from "@clipper-serving/deployer-python";
import { deployFoundBundle } from "@clipper-serving/deployer-python/pipeline";
import type { CallOptions, DeployResult, DeployTarget } from "@clipper-serving/spec";
import { checkSparkOptions, type SparkOptions } from "./pyspark-options.js";
import { findSpark } from "./spark-here.js";
import { sparkNeeds } from "./spark-needs.js";

export interface BundleOptions extends SavedBundleOptions {
  /** Left unread for a bundle of a plain function. */
  readonly spark?: SparkOptions;
}

/**
 * Deploys what a live session saved: `clipper_runtime.pyspark.save_bundle`, or `clipper_runtime.save_bundle` for a plain function. With `app` it then
 * answers that application's queries.
 * @throws as `deployPysparkModel`; BundleError; DeployError `PYTHON_MISMATCH` too before anything is done
 */
export async function deployBundle(
  target: DeployTarget,
  options: BundleOptions,
  call: CallOptions = {},
): Promise<DeployResult> {
  const spark = checkSparkOptions(options.spark);
  return deployFoundBundle(target, options, call, async ({ manifest, directory, python }) => {
    if (manifest.runtime !== "pyspark") return {};
    await using scratch = await target.scratch();
    const here = await findSpark(
      { python, target: manifest, step: "environment", scratch: scratch.directory, bundle: directory },
      call,
    );
    return sparkNeeds(target, { spark, resources: options.resources }, here);
  });
}
