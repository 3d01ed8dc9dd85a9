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
