/*
 * The parts of a deploy, for deployers of other kinds of Python models. What is captured in another way goes the same way from there.
 */
export type { CapturedModel, PlatformNeeds } from "./deploy-captured.js";
export { deployCaptured, platformFor } from "./deploy-captured.js";
export type { EndpointModel } from "./endpoint.js";
export { withApplication } from "./endpoint.js";
export type { Interpreter } from "./find-python.js";
export { findPython } from "./find-python.js";
export { jsonArgument } from "./json-argument.js";
export type { ResolvedModelOptions } from "./model-options.js";
export { functionFileOf, resolveModelOptions } from "./model-options.js";
export type { PythonToolRun } from "./python-tool.js";
export { runPythonTool } from "./python-tool.js";
export type { CaptureReport, CaptureRun } from "./run-capture.js";
export { runCapture } from "./run-capture.js";
export type { BundleNeeds, FoundBundle } from "./saved-bundle.js";
export { deployFoundBundle } from "./saved-bundle.js";
