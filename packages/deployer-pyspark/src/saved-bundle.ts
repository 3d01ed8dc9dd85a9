import type { SavedBundleOptions } from "@clipper-serving/deployer-python";
import {
  deployFoundBundle,
  type FoundBundle,
  runPythonTool,
} from "@clipper-serving/deployer-python/pipeline";
import type { CallOptions, DeployResult, DeployTarget } from "@clipper-serving/spec";
import { checkSparkOptions, type SparkOptions } from "./pyspark-options.js";
import { type JavaFound, sparkNeeds } from "./spark-needs.js";

const CHECK_TIMEOUT_MS = 60_000;

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
  return deployFoundBundle(target, options, call, async (bundle) => {
    if (bundle.manifest.runtime !== "pyspark") return {};
    await using scratch = await target.scratch();
    return sparkNeeds(target, spark, await checkTriple(bundle, scratch.directory, call));
  });
}

/** Compares the bundle's Python, PySpark and Java with what is here. @throws DeployError that names them all */
async function checkTriple(
  { manifest, directory, python }: FoundBundle,
  scratch: string,
  call: CallOptions,
): Promise<JavaFound> {
  const { java } = await runPythonTool<{ readonly ok: true; readonly java: JavaFound }>(
    {
      python: python.path,
      module: "clipper_runtime.pyspark_check",
      args: ["--bundle", directory],
      step: "environment",
      target: manifest,
      scratch,
      timeoutMs: CHECK_TIMEOUT_MS,
    },
    call,
  );
  return java;
}
