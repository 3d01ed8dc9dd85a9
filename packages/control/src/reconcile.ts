import {
  type ClipperError,
  EPOCH_LABEL,
  InvalidArgumentError,
  MODEL_LABEL,
  type OperationRecord,
  type OriginRecord,
  ROLE_LABEL,
  type StateHead,
  StateLostError,
  succeedsEpoch,
  VERSION_LABEL,
  type WorkloadRecord,
  type WorkloadSpec,
  type WorkloadStatus,
  workloadDigest,
} from "@clipper-serving/spec";
import { isAbandoned, isFinal } from "./operation-phase.js";
import { REPLICA_ROLE, type Secrets, workloadSpec } from "./workload-spec.js";

/** What the records want, as of one head. */
export interface DesiredState {
  readonly head: StateHead;
  /** Of the store; absent for one that took no other's place. */
  readonly origin?: OriginRecord | undefined;
  readonly workloads: readonly WorkloadRecord[];
  readonly operations: readonly OperationRecord[];
  readonly secrets: Secrets;
}

/** One step towards what is wanted. Each is safe to repeat, and to leave out: the next round finds it again. */
export type Action =
  /** The platform is to run this; `why` says how it differs. */
  | {
      readonly kind: "apply";
      readonly id: string;
      readonly why: "absent" | "program" | "count" | "instances-missing";
      readonly spec: WorkloadSpec;
    }
  /** The platform runs replicas that no record wants. */
  | { readonly kind: "remove"; readonly id: string; readonly why: "unwanted" }
  /** An operation's caller is gone. */
  | { readonly kind: "end-operation"; readonly id: string; readonly why: "abandoned" }
  /** A workload's record names an operation that is over, and no version took it. */
  | { readonly kind: "forget-workload"; readonly id: string; readonly why: "operation-over" }
  /** It cannot be done, and a person has to know why. */
  | { readonly kind: "leave"; readonly id: string; readonly why: ClipperError };

/**
 * Compares what the records want with what the platform says it runs. Only replicas are touched: a workload of another role is
 * neither changed nor removed, whatever the records say.
 *
 * `observed` must not be newer than `desired`: a record is written before its workload is applied, so that what was seen running and is in no record
 * read later is truly unwanted, when the store is the one whose record once wanted it, or has taken that one's place. Replicas of a history that this store
 * does not know are left: its records were lost, and they may be all that still serves.
 *
 * @param nowMs on the clock that wrote the operations' leases
 */
export function reconcile(
  desired: DesiredState,
  observed: readonly WorkloadStatus[],
  nowMs: number,
): readonly Action[] {
  const running = new Map(observed.map((status) => [status.id, status]));
  const wanted = new Set(desired.workloads.map(({ id }) => id));
  const open = new Set(desired.operations.filter((operation) => !isFinal(operation)).map(({ id }) => id));
  return [
    ...desired.operations
      .filter((operation) => isAbandoned(operation, nowMs))
      .map(({ id }): Action => ({ kind: "end-operation", id, why: "abandoned" })),
    ...desired.workloads.flatMap((record): readonly Action[] =>
      // Its replicas go in a later round, once the record is gone: until then a version may take it.
      record.operation !== undefined && !open.has(record.operation)
        ? [{ kind: "forget-workload", id: record.id, why: "operation-over" }]
        : bringAbout(record, running.get(record.id), desired.secrets),
    ),
    ...observed
      .filter((status) => isReplica(status) && !wanted.has(status.id))
      .map((status): Action => dismiss(status, desired)),
  ];
}

function bringAbout(
  record: WorkloadRecord,
  status: WorkloadStatus | undefined,
  secrets: Secrets,
): readonly Action[] {
  const { id } = record;
  if (status !== undefined && !isReplica(status)) {
    return [{ kind: "leave", id, why: takenBy(status) }];
  }
  let spec: WorkloadSpec;
  try {
    spec = workloadSpec(record, secrets);
  } catch (error) {
    if (InvalidArgumentError.isInstance(error)) return [{ kind: "leave", id, why: error }];
    throw error;
  }
  const why = difference(spec, status);
  return why === undefined ? [] : [{ kind: "apply", id, why, spec }];
}

function dismiss({ id, labels }: WorkloadStatus, { head, origin }: DesiredState): Action {
  const epoch = labels[EPOCH_LABEL] ?? "";
  const isOurs = epoch === head.epoch || (succeedsEpoch(origin, epoch) && !origin?.left.includes(id));
  return isOurs
    ? { kind: "remove", id, why: "unwanted" }
    : { kind: "leave", id, why: ofLostState(id, labels) };
}

function ofLostState(id: string, labels: WorkloadStatus["labels"]): ClipperError {
  const version = `${labels[MODEL_LABEL] ?? "unknown"}:${labels[VERSION_LABEL] ?? "unknown"}`;
  return new StateLostError({
    message: `no record wants workload ${id}, which runs ${version}, and it is of a history that the store does not hold: left running`,
    hint: "`clipper up` restores what the query frontends hold; `clipper up --accept-state-loss` ends it",
    facts: { workload: id, version },
  });
}

function difference(spec: WorkloadSpec, status: WorkloadStatus | undefined) {
  if (status === undefined) return "absent";
  if (status.specDigest !== workloadDigest(spec)) return "program";
  if (status.wanted !== spec.instances) return "count";
  // What failed the platform tries again by itself; what a person removed is not listed any more.
  const standing = status.instances.filter(({ state }) => state !== "stopping" && state !== "exited").length;
  return standing < spec.instances ? "instances-missing" : undefined;
}

function isReplica(status: WorkloadStatus): boolean {
  return status.labels[ROLE_LABEL] === REPLICA_ROLE;
}

function takenBy(status: WorkloadStatus): ClipperError {
  const role = status.labels[ROLE_LABEL] ?? "none";
  return new InvalidArgumentError({
    argument: "id",
    value: status.id,
    expected: "free or a replica's",
    message: `workload ${status.id} is there with role ${role}; a record may only want replicas`,
  });
}
