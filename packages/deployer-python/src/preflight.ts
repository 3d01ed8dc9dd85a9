import type { BatchFloor, CallOptions, ModelVersion } from "@clipper-serving/spec";
import { runPythonTool } from "./python-tool.js";

/** For the tool to end by itself, after it has said that its time is over. */
const TOOL_MARGIN_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 60_000;

interface PreflightReport {
  readonly ok: true;
  readonly floor: readonly BatchFloor[];
}

export interface PreflightRequest {
  readonly target: ModelVersion;
  /** Interpreter of the bundle's environment. */
  readonly environment: string;
  readonly bundle: string;
  readonly scratch: string;
  readonly env?: Readonly<Record<string, string>>;
  /** For loading and trying it, ms. Default 60,000. */
  readonly timeoutMs?: number;
}

/**
 * Loads the bundle in a clean interpreter of its environment and runs the sample.
 * @returns the latency of warm-up batches; undefined when the bundle has no sample
 * @throws DeployError at step `preflight`
 */
export async function preflight(
  { target, environment, bundle, scratch, env = {}, timeoutMs = DEFAULT_TIMEOUT_MS }: PreflightRequest,
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
      args: ["--bundle", bundle, "--timeout-ms", String(timeoutMs)],
      step: "preflight",
      target,
      scratch,
      timeoutMs: timeoutMs + TOOL_MARGIN_MS,
      env,
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
