import {
  type CaptureReport,
  type Interpreter,
  jsonArgument,
  runCapture,
} from "@clipper-serving/deployer-python/pipeline";
import type { CallOptions } from "@clipper-serving/spec";
import type { ResolvedPysparkOptions } from "./pyspark-options.js";

/** The script may train a model. */
const CAPTURE_TIMEOUT_MS = 60 * 60_000;

export interface CaptureRequest {
  readonly options: ResolvedPysparkOptions;
  readonly sample: unknown;
  readonly python: Interpreter;
  /** Where the bundle is written, in a scratch directory; must not exist. */
  readonly directory: string;
}

/** Makes a model bundle of a PySpark model and its function, in the user's own interpreter. @throws DeployError at step `capture` */
export async function captureModel(
  { options, sample, python, directory }: CaptureRequest,
  call: CallOptions,
): Promise<CaptureReport> {
  const { source, reference, spark } = options;
  const conf =
    spark.conf === undefined ? [] : ["--spark-conf", await jsonArgument(directory, "spark-conf", spark.conf)];
  return runCapture(
    {
      python,
      module: "clipper_runtime.pyspark_capture",
      target: options,
      reference,
      directory,
      sample,
      args: [...source, ...conf],
      timeoutMs: CAPTURE_TIMEOUT_MS,
    },
    call,
  );
}
