export type { EndpointOptions } from "./endpoint.js";
export { createEndpoint } from "./endpoint.js";
export { deployPysparkModel } from "./pyspark-model.js";
export type {
  PysparkModelOptions,
  SavedModelOptions,
  SparkOptions,
  TrainingScriptOptions,
} from "./pyspark-options.js";
export type { BundleOptions } from "./saved-bundle.js";
export { deployBundle } from "./saved-bundle.js";
