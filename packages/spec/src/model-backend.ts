import type { ModelVersion, Outcome, Task } from "./query.js";

/**
 * The cut between *edge* and *home*. The edge owns a query's deadline and its answer; the home of a model version owns its cache, queue, batches and
 * replicas. Plain data in, a promise out, so that a home may be in another process.
 */
export interface ModelBackend {
  /** Resolves with the task's one outcome; may resolve after the deadline, for whoever still listens. Never rejects. */
  submit(task: Task): Promise<Outcome>;
  /** Whether a task would find a replica now. */
  isReady(target: ModelVersion): boolean;
}
