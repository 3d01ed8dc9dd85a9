/** The Python asset as a wheel, for `pip install`: `clipper_runtime.save_bundle` in a notebook needs it. */
export { wheelPath as pythonAssetPath } from "@clipper-serving/container-runtime";
export type { PythonClosureOptions } from "./closure-options.js";
export type { ApplicationOptions, EndpointOptions } from "./endpoint.js";
export { createEndpoint } from "./endpoint.js";
export type { ModelOptions, ReplicaOptions } from "./model-options.js";
export { deployPythonClosure } from "./python-closure.js";
export type { SavedBundleOptions } from "./saved-bundle.js";
export { deployBundle } from "./saved-bundle.js";
