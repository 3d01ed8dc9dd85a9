import path from "node:path";
import { deployCaptured, findPython, platformFor } from "@clipper-serving/deployer-python/pipeline";
import type { CallOptions, DeployResult, DeployTarget } from "@clipper-serving/spec";
import { captureModel } from "./capture.js";
import { type PysparkModelOptions, resolvePysparkOptions } from "./pyspark-options.js";
import { findSpark } from "./spark-here.js";
import { sparkNeeds } from "./spark-needs.js";

/**
 * Puts a PySpark model, with the function that asks it, behind a model version. The model is saved by Spark's own writer and loaded once into a session
 * that lives as long as its replica; the function travels as a closure does. Python, PySpark and Java are those of the interpreter that captures it.
 *
 * The same bundle under the same name and version again is success, with `unchanged: true`. A training script trains anew each time and saves what Spark
 * numbers anew, so that a second deploy of it is another version.
 * @throws as `deployPythonClosure`; DeployError `JAVA_MISSING`, `JAVA_MISMATCH`, `PYSPARK_MISMATCH` before anything is done
 */
export async function deployPysparkModel(
  target: DeployTarget,
  options: PysparkModelOptions,
  call: CallOptions = {},
): Promise<DeployResult> {
  const resolved = resolvePysparkOptions(options);
  const { model, version, inputType, functionFile, spark } = resolved;
  const python = await findPython({ python: options.python, functionFile, signal: call.signal });
  await using scratch = await target.scratch();
  const directory = path.join(scratch.directory, "bundle");
  const asked = { python, target: { model, version }, step: "capture", scratch: scratch.directory } as const;
  const here = await findSpark(asked, call);
  const { pyspark, ...needs } = sparkNeeds(target, { spark, resources: options.resources }, here);
  const platform = await platformFor(target, { python, replicas: options, pyspark }, call);
  const request = { options: resolved, sample: options.sample, python, directory };
  const { digest } = await captureModel(request, call);
  const bundle = { target: { model, version, inputType }, directory, digest, python, platform };
  return await deployCaptured(target, { ...bundle, replicas: options, ...needs }, call);
}
