export { createContainerManager } from "./create-container-manager.js";
export type { RegistryCredentials } from "./credentials/docker-credentials.js";
export { dockerCredentials } from "./credentials/docker-credentials.js";
export { DockerContainerManager } from "./docker-container-manager.js";
export type { DockerManagerOptions } from "./docker-options.js";
export type { DockerMount, DockerOverlay } from "./docker-overlay.js";
export type { EngineErrorCode } from "./engine/engine-error.js";
export { EngineError } from "./engine/engine-error.js";
