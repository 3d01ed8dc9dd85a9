export type {
  CallOptions,
  ClusterEndpoints,
  ContainerManager,
  ContainerManagerModule,
  ContainerManagerOrigin,
  DefaultReason,
  DeployModelRequest,
  DeployResult,
  ImageRef,
  InputType,
  LinkRequest,
  LogLine,
  ModelRecord,
  ModelVersion,
  PlatformCheck,
  PlatformFacts,
  ProgressEvent,
  RegisterApplicationRequest,
  RegisteredApplication,
  RegisteredVersion,
  RegisterVersion,
  ReplicaReport,
  VersionRecord,
} from "@clipper-serving/spec";
export {
  ClipperError,
  ConflictError,
  DeployError,
  failedCheck,
  InvalidArgumentError,
  InvalidNameError,
  ManagerError,
  NotFoundError,
  PortTakenError,
  RefusedError,
  ReplicaError,
  StateLostError,
  TimeoutError,
  UnconnectedError,
  UnreachableError,
  VersionExistsError,
} from "@clipper-serving/spec";
export type { ClipperConnectionOptions, ConnectResult } from "./clipper-connection.js";
export { ClipperConnection } from "./clipper-connection.js";
export { ClusterHome, defaultHome } from "./cluster-home.js";
export type {
  BuildImagesRequest,
  BuiltImages,
  ClusterImage,
  ClusterImages,
  ClusterImageUse,
  ImageRole,
  PrunedImages,
  PruneImagesRequest,
  PushImageRequest,
  PythonBaseReport,
} from "./cluster-images.js";
export type { ClusterLogQuery } from "./cluster-logs.js";
export type { StartOptions } from "./cluster-parts.js";
export type { ClusterSettings } from "./cluster-settings.js";
export type {
  ApplicationStatus,
  ClusterStatus,
  ModelStatus,
  ReplicaState,
  ReplicaStatus,
} from "./cluster-status.js";
export type { ImageNames } from "./image-names.js";
export type { PredictionInput, PredictionResult, PredictRequest } from "./prediction-client.js";
export type { StateRestoration } from "./recovery/recover-state.js";
export type { StateDifference } from "./recovery/state-difference.js";
export type { ManagedRedis, OutsideRedis, StateSettings } from "./state-settings.js";
