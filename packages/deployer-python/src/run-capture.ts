import path from "node:path";
import type { CallOptions, ModelVersion } from "@clipper-serving/spec";
import type { Interpreter } from "./find-python.js";
import { jsonArgument } from "./json-argument.js";
import { runPythonTool } from "./python-tool.js";

/** What every tool that captures reports. */
export interface CaptureReport {
  readonly ok: true;
  readonly digest: string;
  readonly warnings: readonly string[];
}

export interface CaptureRun {
  readonly python: Interpreter;
  /** The tool: `clipper_runtime.capture`. */
  readonly module: string;
  readonly target: ModelVersion & { readonly inputType: string };
  /** What is captured, for messages. */
  readonly reference: string;
  /** Where the bundle is written, in a scratch directory; must not exist. */
  readonly directory: string;
  readonly sample?: unknown;
  /** The tool's own, besides those that say which model it is. */
  readonly args: readonly string[];
  readonly timeoutMs: number;
}

/** Runs a tool that makes a model bundle in the user's own interpreter, and tells how it goes. @throws DeployError at step `capture` */
export async function runCapture(
  { python, module, target, reference, directory, sample, args, timeoutMs }: CaptureRun,
  call: CallOptions,
): Promise<CaptureReport> {
  const step = "capture";
  const { model, version, inputType } = target;
  call.onProgress?.({ step, state: "started", message: `capturing ${reference}` });
  const report = await runPythonTool<CaptureReport>(
    {
      python: python.path,
      module,
      args: [
        ...args,
        ...["--name", model, "--version", version, "--input-type", inputType, "--output", directory],
        ...(sample === undefined ? [] : ["--sample", await jsonArgument(directory, "sample", sample)]),
      ],
      step,
      target: { model, version },
      scratch: path.dirname(directory),
      timeoutMs,
    },
    call,
  );
  for (const message of report.warnings) call.onProgress?.({ step, state: "advanced", message });
  call.onProgress?.({ step, state: "done", message: `captured as ${report.digest.slice(0, 19)}` });
  return report;
}
