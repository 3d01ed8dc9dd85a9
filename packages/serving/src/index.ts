export type { AimdOptions } from "./batching/aimd-batch-policy.js";
export { AimdBatchPolicy } from "./batching/aimd-batch-policy.js";
export { FixedBatchPolicy } from "./batching/fixed-batch-policy.js";
export { createQueryEngine } from "./create-query-engine.js";
export type { BatchDone, EngineObserver } from "./engine-observer.js";
export type {
  CacheInspection,
  EngineInspection,
  ReplicaInspection,
  VersionInspection,
} from "./inspection.js";
export type {
  BatchPolicyContext,
  PredictRequest,
  QueryEngine,
  QueryEngineOptions,
  ServingState,
} from "./query-engine.js";
