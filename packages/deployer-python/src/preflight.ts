import type { BatchFloor, CallOptions, ModelVersion } from "@clipper-serving/spec";
import { runPythonTool } from "./python-tool.js";

const PREFLIGHT_TIMEOUT_MS = 5 * 60_000;

interface PreflightReport {
  readonly ok: true;
  readonly floor: readonly BatchFloor[];
}

export interface PreflightRequest {
  readonly target: ModelVersion;
  /** Interpreter of the bundle's environment. */
  readonly environment: string;
  readonly bundle: string;
}

/**
 * Loads the bundle in a clean interpreter of its environment and runs the sample.
 * @returns the latency of warm-up batches; undefined when the bundle has no sample
 * @throws DeployError at step `preflight`
 */
export async function preflight(
  { target, environment, bundle }: PreflightRequest,
  call: CallOptions,
): Promise<readonly BatchFloor[] | undefined> {
  call.onProgress?.({
    step: "preflight",
    state: "started",
    message: "trying the function in its environment",
  });
  const { floor } = await runPythonTool<PreflightReport>(
    {
      python: environment,
      module: "clipper_runtime.preflight",
      args: ["--bundle", bundle],
      step: "preflight",
      target,
      timeoutMs: PREFLIGHT_TIMEOUT_MS,
    },
    call,
  );
  call.onProgress?.({ step: "preflight", state: "done", message: floorMessage(floor) });
  return floor.length === 0 ? undefined : floor;
}

function floorMessage(floor: readonly BatchFloor[]): string {
  const one = floor.find(({ batchSize }) => batchSize === 1);
  return one === undefined
    ? "the function loads"
    : `the function answers in ${(one.p50Micros / 1_000).toFixed(2)} ms`;
}
