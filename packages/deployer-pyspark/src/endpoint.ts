import type { ApplicationOptions } from "@clipper-serving/deployer-python";
import { withApplication } from "@clipper-serving/deployer-python/pipeline";
import type { CallOptions, DeployResult, DeployTarget } from "@clipper-serving/spec";
import { deployPysparkModel } from "./pyspark-model.js";
import { type PysparkModelOptions, resolvePysparkOptions } from "./pyspark-options.js";

export type EndpointOptions = PysparkModelOptions & ApplicationOptions;

/**
 * Deploys a PySpark model and answers an application's queries with it: the application is registered when absent, and linked when unlinked.
 * @throws as `deployPysparkModel`; ConflictError when the application takes another input type or is linked to another model
 */
export async function createEndpoint(
  target: DeployTarget,
  options: EndpointOptions,
  call: CallOptions = {},
): Promise<DeployResult> {
  const { model, inputType } = resolvePysparkOptions(options);
  return withApplication(target, { ...options, model, inputType }, call, () =>
    deployPysparkModel(target, options, call),
  );
}
