export type { PythonClosureOptions } from "./closure-options.js";
export type { EndpointOptions } from "./endpoint.js";
export { createEndpoint } from "./endpoint.js";
export { deployPythonClosure } from "./python-closure.js";
