export type { BundleInfo, BundleManifest, BundleStore, PysparkManifest } from "./bundle.js";
export { environmentName } from "./bundle.js";
export type { CallOptions, ProgressEvent } from "./call-options.js";
export { checkWorkloadSpec } from "./check-workload.js";
export type { Clock, Random } from "./clock.js";
export type { ClusterEndpoints, ClusterFile } from "./cluster.js";
export type {
  ClusterRef,
  ContainerManager,
  ContainerManagerCapabilities,
  ContainerManagerModule,
  ContainerManagerOrigin,
  InstanceState,
  InstanceStatus,
  LogLine,
  LogQuery,
  PlatformFacts,
  Reach,
  ScratchSpace,
  WorkloadPort,
  WorkloadResources,
  WorkloadSpec,
  WorkloadStatus,
} from "./container-manager.js";
export type { DeployOptions } from "./deploy-options.js";
export { checkDeployOptions, checkReplicas, toSloMicros } from "./deploy-options.js";
export type {
  DeployModelRequest,
  DeployResult,
  DeployTarget,
  LinkRequest,
  PythonPlatform,
  PythonPlatformRequest,
  PythonProgram,
  PythonProgramRequest,
  RegisterApplicationRequest,
  RegisteredApplication,
  RegisteredVersion,
  ScratchDirectory,
} from "./deploy-target.js";
export type { ClipperErrorOptions } from "./errors/clipper-error.js";
export { ClipperError } from "./errors/clipper-error.js";
export type { DeployErrorCode, DeployStep } from "./errors/deploy-errors.js";
export { BundleError, DEPLOY_STEPS, DeployError } from "./errors/deploy-errors.js";
export {
  ManagerError,
  PortTakenError,
  RefusedError,
  TimeoutError,
  UnreachableError,
  UnsupportedError,
} from "./errors/platform-errors.js";
export { ProtocolError } from "./errors/protocol-error.js";
export { ReplicaError } from "./errors/replica-error.js";
export type { ResourceKind } from "./errors/resource-errors.js";
export {
  ConflictError,
  HeadMismatchError,
  NotFoundError,
  StateLostError,
  StoreRegressedError,
  StoreUnavailableError,
  VersionExistsError,
} from "./errors/resource-errors.js";
export { InvalidArgumentError, InvalidNameError, UnconnectedError } from "./errors/usage-errors.js";
export type {
  ImageBase,
  ImageConfig,
  ImageFile,
  ImageLayer,
  ImagePlan,
  ImageRef,
  ImageSink,
  ImageUse,
  StoredImage,
} from "./image.js";
export type { InputType } from "./input-type.js";
export { INPUT_TYPE_DATATYPE, INPUT_TYPES, parseInputType } from "./input-type.js";
export type { Address, InstanceEnvironment } from "./instance-environment.js";
export { formatAddress, listenVariable, outsideVariable, parseAddress } from "./instance-environment.js";
export type { WorkloadRole } from "./labels.js";
export {
  EPOCH_LABEL,
  MODEL_LABEL,
  OPERATION_LABEL,
  ROLE_LABEL,
  VERSION_LABEL,
  WORKLOAD_ROLES,
} from "./labels.js";
export { watchLifeline } from "./lifeline.js";
export type {
  AcceptLoss,
  BeginOperation,
  BegunOperation,
  ClusterView,
  CreateApplication,
  ErrorBody,
  FinishOperation,
  FrontendLease,
  FrontendReport,
  FrontendView,
  HeldSnapshot,
  PutCurrent,
  PutInstances,
  PutRoutes,
  RegisterVersion,
  RenewOperation,
  ReplicaReport,
  RestoredState,
  RestoreState,
  Stored,
  WatchEvent,
} from "./management-api.js";
export type { ModelBackend } from "./model-backend.js";
export type { NameKind } from "./names.js";
export {
  checkName,
  isValidName,
  NAME_PATTERN,
  RESERVED_APPLICATION_NAMES,
  WORKLOAD_ID_PATTERN,
} from "./names.js";
export type { OriginRecord, SucceededHistory } from "./origin.js";
export { succeedsEpoch, succeedsHead } from "./origin.js";
export type { Datatype, Payload, PayloadPart } from "./payload.js";
export { DATATYPE_WIDTH, DATATYPES, payloadBytes } from "./payload.js";
export type { DiagnoseRequest, PlatformCheck } from "./platform-check.js";
export { failedCheck } from "./platform-check.js";
export type { BatchObservation, BatchPolicy, ResolvedRoute, SelectionPolicy } from "./policies.js";
export type {
  DefaultReason,
  ModelVersion,
  ModelVersionKey,
  Outcome,
  OutcomeError,
  Prediction,
  Query,
  Task,
} from "./query.js";
export { DEFAULT_EXPLANATIONS, DEFAULT_REASONS, modelVersionKey } from "./query.js";
export type {
  ApplicationRecord,
  BatchFloor,
  ModelRecord,
  OperationKind,
  OperationRecord,
  RecordKeys,
  RecordKind,
  RecordKinds,
  Route,
  VersionRecord,
  WorkloadRecord,
  WorkloadTemplate,
} from "./records.js";
export { rejectOnAbort } from "./reject-on-abort.js";
export type {
  Attempt,
  AttemptErrorKind,
  AttemptOutcome,
  BatchResult,
  ReplicaIdentity,
  ReplicaLink,
  ReplicaLinkEvents,
} from "./replica-link.js";
export type {
  StateChange,
  StateCommit,
  StateHead,
  StateRecord,
  StateSnapshot,
  StateStore,
} from "./state-store.js";
export { systemClock } from "./system-clock.js";
export { canonicalJson, workloadDigest } from "./workload-digest.js";
