/*
 * Labels the system puts on its workloads. A container manager gives them back unchanged and means nothing by them.
 */

/** What the workload is to its cluster: a {@link WorkloadRole}. Whoever acts on workloads touches only the roles it owns. */
export const ROLE_LABEL = "clipper.role";

/** Of a replica: its model, its version, and the operation that made its workload. */
export const MODEL_LABEL = "clipper.model";
export const VERSION_LABEL = "clipper.version";
export const OPERATION_LABEL = "clipper.operation";

/** Of a replica: the epoch of the store whose record wanted it first. What another store's record wanted is not this one's to remove. */
export const EPOCH_LABEL = "clipper.epoch";

export const WORKLOAD_ROLES = [
  "query-frontend",
  "management-frontend",
  "controller",
  "redis",
  "replica",
] as const;

export type WorkloadRole = (typeof WORKLOAD_ROLES)[number];
