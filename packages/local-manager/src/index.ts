export { createContainerManager } from "./create-container-manager.js";
export { LocalContainerManager } from "./local-container-manager.js";
export type { LocalManagerOptions } from "./local-options.js";
