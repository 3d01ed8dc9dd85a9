import path from "node:path";
import type { CallOptions, DeployResult, DeployTarget } from "@clipper-serving/spec";
import { captureFunction } from "./capture.js";
import { type PythonClosureOptions, resolveClosureOptions } from "./closure-options.js";
import { deployCaptured, platformFor } from "./deploy-captured.js";
import { findPython } from "./find-python.js";

/**
 * Puts a Python function behind a model version: captured in the caller's own interpreter, its packages locked and installed, tried on the sample, run as
 * replicas, and made current once they are connected. What served goes on serving when any of it fails.
 *
 * The same content under the same name and version again is success, with `unchanged: true`.
 * @throws DeployError with the step and a stable code, VersionExistsError, InvalidNameError, InvalidArgumentError
 */
export async function deployPythonClosure(
  target: DeployTarget,
  options: PythonClosureOptions,
  call: CallOptions = {},
): Promise<DeployResult> {
  const resolved = resolveClosureOptions(options);
  const python = await findPython({
    python: resolved.python,
    functionFile: resolved.functionFile,
    signal: call.signal,
  });
  const platform = await platformFor(target, { python, replicas: resolved }, call);
  await using scratch = await target.scratch();
  const directory = path.join(scratch.directory, "bundle");
  const { digest } = await captureFunction({ ...resolved, python, directory }, call);
  const { model, version, inputType } = resolved;
  return await deployCaptured(
    target,
    { target: { model, version, inputType }, directory, digest, python, platform, replicas: resolved },
    call,
  );
}
