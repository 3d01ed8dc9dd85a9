export { containerManagerSuite } from "./container-manager/suite.js";
export type {
  ContainerManagerSuiteOptions,
  ContainerManagerSuiteRunner,
  SuiteProgram,
} from "./container-manager/suite-options.js";
export { tinyHttpProgram } from "./container-manager/tiny-http-program.js";
