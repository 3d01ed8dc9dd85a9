import path from "node:path";
import { type Interpreter, jsonArgument, runPythonTool } from "@clipper-serving/deployer-python/pipeline";
import type { CallOptions } from "@clipper-serving/spec";
import type { ResolvedPysparkOptions } from "./pyspark-options.js";
import type { JavaFound } from "./spark-needs.js";

/** The script may train a model. */
const CAPTURE_TIMEOUT_MS = 60 * 60_000;

interface CaptureReport {
  readonly ok: true;
  readonly digest: string;
  readonly java: JavaFound;
  readonly warnings: readonly string[];
}

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
  const { model, version, inputType, source, reference, spark } = options;
  call.onProgress?.({ step: "capture", state: "started", message: `capturing ${reference}` });
  const report = await runPythonTool<CaptureReport>(
    {
      python: python.path,
      module: "clipper_runtime.pyspark_capture",
      args: [
        ...source,
        ...["--name", model, "--version", version, "--input-type", inputType, "--output", directory],
        ...(sample === undefined ? [] : ["--sample", await jsonArgument(directory, "sample", sample)]),
        ...(spark.conf === undefined
          ? []
          : ["--spark-conf", await jsonArgument(directory, "spark-conf", spark.conf)]),
      ],
      step: "capture",
      target: { model, version },
      scratch: path.dirname(directory),
      timeoutMs: CAPTURE_TIMEOUT_MS,
    },
    call,
  );
  for (const warning of report.warnings)
    call.onProgress?.({ step: "capture", state: "advanced", message: warning });
  call.onProgress?.({ step: "capture", state: "done", message: `captured as ${report.digest.slice(0, 19)}` });
  return report;
}
