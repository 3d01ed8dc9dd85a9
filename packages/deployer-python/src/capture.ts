import type { CallOptions } from "@clipper-serving/spec";
import type { ResolvedClosureOptions } from "./closure-options.js";
import type { Interpreter } from "./find-python.js";
import { type CaptureReport, runCapture } from "./run-capture.js";

/** The user's file may train a model when it is executed. */
const CAPTURE_TIMEOUT_MS = 30 * 60_000;

export interface CaptureRequest
  extends Pick<ResolvedClosureOptions, "model" | "version" | "inputType" | "function" | "sample"> {
  readonly python: Interpreter;
  /** Where the bundle is written, in a scratch directory; must not exist. */
  readonly directory: string;
}

/** Makes a model bundle of a function, in the user's own interpreter. @throws DeployError at step `capture` */
export function captureFunction(
  { model, version, inputType, function: reference, ...request }: CaptureRequest,
  call: CallOptions,
): Promise<CaptureReport> {
  return runCapture(
    {
      ...request,
      module: "clipper_runtime.capture",
      target: { model, version, inputType },
      reference,
      args: ["--function", reference],
      timeoutMs: CAPTURE_TIMEOUT_MS,
    },
    call,
  );
}
