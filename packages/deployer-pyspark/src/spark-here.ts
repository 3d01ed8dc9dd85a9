import { type Interpreter, runPythonTool } from "@clipper-serving/deployer-python/pipeline";
import type { CallOptions, DeployStep, ModelVersion } from "@clipper-serving/spec";

const CHECK_TIMEOUT_MS = 60_000;

/** The PySpark of an interpreter and the Java that it would start, as the Python side reports them. */
export interface SparkHere {
  readonly pyspark: string;
  readonly java: { readonly home: string; readonly version: string; readonly major: number };
}

export interface SparkHereRequest {
  readonly python: Interpreter;
  readonly target: ModelVersion;
  readonly step: DeployStep;
  /** Directory for what the tool leaves in passing. */
  readonly scratch: string;
  /** Directory of a bundle whose triple has to be that of this machine. Default: none. */
  readonly bundle?: string;
}

/** @throws DeployError `MODULE_MISSING`, `JAVA_MISSING`, `JAVA_MISMATCH`; with a bundle `PYTHON_MISMATCH`, `PYSPARK_MISMATCH` too, naming all versions */
export async function findSpark(
  { python, target, step, scratch, bundle }: SparkHereRequest,
  call: CallOptions,
): Promise<SparkHere> {
  const { pyspark, java } = await runPythonTool<SparkHere & { readonly ok: true }>(
    {
      python: python.path,
      module: "clipper_runtime.pyspark_check",
      args: bundle === undefined ? [] : ["--bundle", bundle],
      step,
      target,
      scratch,
      timeoutMs: CHECK_TIMEOUT_MS,
    },
    call,
  );
  return { pyspark, java };
}
