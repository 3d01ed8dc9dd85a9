import {
  type HeldSnapshot,
  MODEL_LABEL,
  type ModelVersion,
  type OriginRecord,
  type StateHead,
  type StateSnapshot,
  succeedsHead,
  VERSION_LABEL,
  type VersionRecord,
  type WorkloadRecord,
  type WorkloadStatus,
} from "@clipper-serving/spec";

/** Something in which a restored cluster is not what it was, or not what runs. */
export type StateDifference = { readonly message: string } & (
  | /** A version whose replicas do not run: they are started again. */
  ({ readonly kind: "replicas-gone"; readonly workload: string } & ModelVersion)
  /** Replicas run that no record knows: they are left running. */
  | ({ readonly kind: "replicas-unknown"; readonly workload: string } & ModelVersion)
  /** A deploy was under way: what it had started is ended, as after every interruption. */
  | ({ readonly kind: "deploy-undone"; readonly workload: string } & ModelVersion)
  /** A frontend holds another history, and goes on serving by it. */
  | { readonly kind: "frontend-apart"; readonly frontends: readonly string[]; readonly head: StateHead }
  /** Snapshots do not have them. */
  | { readonly kind: "not-kept"; readonly what: "operations" }
);

export interface ComparedState {
  readonly chosen: HeldSnapshot;
  readonly held: readonly HeldSnapshot[];
  /** The platform's workloads that run replicas. */
  readonly replicas: readonly WorkloadStatus[];
}

/** In what the cluster will differ once `chosen` is restored. */
export function stateDifferences({ chosen, held, replicas }: ComparedState): readonly StateDifference[] {
  const { versions, workloads } = recordsOf(chosen.snapshot);
  const running = new Map(replicas.map((status) => [status.id, status]));
  const unfinished = new Set(workloads.flatMap(({ id, operation }) => (operation === undefined ? [] : [id])));
  const wanted = workloads.filter(({ operation }) => operation === undefined);
  const known = new Set(wanted.map(({ id }) => id));
  const gone = wanted
    .filter(({ id, instances }) => instances > 0 && !running.has(id))
    .map(({ id }) => ({ id, ...versionOf(versions.find(({ workload }) => workload === id)) }));
  const unknown = replicas.filter(({ id }) => !known.has(id));
  return [
    ...gone.map(
      ({ id, model, version }): StateDifference => ({
        kind: "replicas-gone",
        model,
        version,
        workload: id,
        message: `the replicas of ${model}:${version} do not run: they are started again`,
      }),
    ),
    ...unknown.map((status): StateDifference => {
      const { model, version } = versionOfLabels(status);
      return unfinished.has(status.id)
        ? {
            kind: "deploy-undone",
            model,
            version,
            workload: status.id,
            message: `a deploy of ${model}:${version} was under way: what it had started is ended`,
          }
        : {
            kind: "replicas-unknown",
            model,
            version,
            workload: status.id,
            message: `replicas of ${model}:${version} run that no record knows: they are left running, until \`clipper up --accept-state-loss\``,
          };
    }),
    ...held
      .filter((other) => !isFollowed(chosen, other))
      .map(
        ({ frontends, snapshot: { head } }): StateDifference => ({
          kind: "frontend-apart",
          frontends,
          head,
          message: `${frontends.join(", ")} holds another history, ${head.epoch}, and goes on serving by it, until \`clipper up --accept-state-loss\``,
        }),
      ),
    { kind: "not-kept", what: "operations", message: "what became of earlier operations is not known" },
  ];
}

/** Ids of the replica workloads that no record will want and that are to run on. */
export function leftRunning(differences: readonly StateDifference[]): readonly string[] {
  return differences.flatMap((each) => (each.kind === "replicas-unknown" ? [each.workload] : []));
}

export function versionOfLabels({ labels }: Pick<WorkloadStatus, "labels">): ModelVersion {
  return { model: labels[MODEL_LABEL] ?? "unknown", version: labels[VERSION_LABEL] ?? "unknown" };
}

function versionOf(record: VersionRecord | undefined): ModelVersion {
  return { model: record?.model ?? "unknown", version: record?.version ?? "unknown" };
}

function recordsOf({ records }: StateSnapshot) {
  const of = <Value>(wanted: string) =>
    records.filter(({ kind }) => kind === wanted).map(({ value }) => value as Value);
  return { versions: of<VersionRecord>("version"), workloads: of<WorkloadRecord>("workload") };
}

/** Whether a frontend that holds `other` will follow the store that `chosen` is restored into. */
function isFollowed({ snapshot: chosen }: HeldSnapshot, { snapshot: other }: HeldSnapshot): boolean {
  const { epoch, revision } = chosen.head;
  const origin = chosen.records.find(({ kind }) => kind === "origin")?.value as OriginRecord | undefined;
  const succeeds = [{ epoch, revision }, ...(origin?.succeeds ?? [])];
  return succeedsHead({ succeeds, left: [] }, other.head);
}
