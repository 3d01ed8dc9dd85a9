import path from "node:path";
import type { BundleManifest, CallOptions } from "@clipper-serving/spec";
import type { ResolvedClosureOptions } from "./closure-options.js";
import type { Interpreter } from "./find-python.js";
import { jsonArgument } from "./json-argument.js";
import { runPythonTool } from "./python-tool.js";

/** The user's file may train a model when it is executed. */
const CAPTURE_TIMEOUT_MS = 30 * 60_000;

interface CaptureReport {
  readonly ok: true;
  readonly digest: string;
  readonly manifest: BundleManifest;
  readonly warnings: readonly string[];
}

export interface CaptureRequest
  extends Pick<ResolvedClosureOptions, "model" | "version" | "inputType" | "function" | "sample"> {
  readonly python: Interpreter;
  /** Where the bundle is written, in a scratch directory; must not exist. */
  readonly directory: string;
}

/** Makes a model bundle of a function, in the user's own interpreter. @throws DeployError at step `capture` */
export async function captureFunction(request: CaptureRequest, call: CallOptions): Promise<CaptureReport> {
  const { model, version, inputType, sample, python, directory } = request;
  call.onProgress?.({ step: "capture", state: "started", message: `capturing ${request.function}` });
  const report = await runPythonTool<CaptureReport>(
    {
      python: python.path,
      module: "clipper_runtime.capture",
      args: [
        ...["--function", request.function, "--name", model, "--version", version],
        ...["--input-type", inputType, "--output", directory],
        ...(sample === undefined ? [] : ["--sample", await jsonArgument(directory, "sample", sample)]),
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
