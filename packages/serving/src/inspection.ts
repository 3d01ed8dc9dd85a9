import type { BatchFloor, ModelVersion, ReplicaReport } from "@clipper-serving/spec";

/** What the engine holds at one instant, for people: `clipper inspect`. */
export interface EngineInspection {
  readonly draining: boolean;
  readonly queriesInFlight: number;
  readonly cache: CacheInspection;
  /** Inputs kept from replicas because two of them died of each. */
  readonly quarantinedInputs: number;
  readonly versions: readonly VersionInspection[];
}

export interface CacheInspection {
  readonly entries: number;
  readonly bytes: number;
  readonly limitBytes: number;
  readonly hits: number;
  readonly joins: number;
  readonly misses: number;
}

export interface VersionInspection extends ModelVersion {
  /** What its function took on batches of samples when it was deployed; absent without a sample. */
  readonly floor?: readonly BatchFloor[];
  readonly queueLength: number;
  readonly queueBytes: number;
  readonly queueLimitBytes: number;
  readonly replicas: readonly ReplicaInspection[];
}

export interface ReplicaInspection extends ReplicaReport {
  readonly batchPolicy: string;
  /** Largest batch it would be given now. */
  readonly batchLimit: number;
  readonly batchesInFlight: number;
  readonly itemsInFlight: number;
  /** Expected time of a single input, µs; absent while too little is known. */
  readonly estimateMicros?: number;
  readonly strayOutcomes: number;
}
