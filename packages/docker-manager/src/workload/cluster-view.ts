import { mapAtOnce } from "../at-once.js";
import type { InspectedContainer } from "../engine/containers.js";
import type { Engine } from "../engine/engine.js";
import type { Volume } from "../engine/volumes.js";
import { clusterFilter, type Kind, LABEL } from "./labels.js";
import { parseRecord, type WorkloadRecord } from "./workload-record.js";

/** What of the engine's machine a container holds while it runs, so that another that holds the same cannot run. */
export interface Holdings {
  readonly ports: readonly number[];
  readonly volume?: string;
}

export interface InstanceContainer {
  readonly id: string;
  readonly instance: string;
  readonly serial: number;
  readonly runDigest: string;
  readonly revision: number;
  readonly holds: Holdings;
  readonly inspected: InspectedContainer;
}

/** All that the engine has of one workload. */
export interface WorkloadView {
  readonly id: string;
  /** Absent when nothing of it was ever accepted. */
  readonly record?: WorkloadRecord;
  /** Of containers that the record's revision or an earlier one made. */
  readonly containers: readonly InstanceContainer[];
  /** Made for a change that is not accepted yet, or never was. */
  readonly pending: readonly InstanceContainer[];
  /** Ids of containers through which volumes are filled. */
  readonly helpers: readonly string[];
  /** Names of the volumes of its records, and their revisions. */
  readonly records: readonly { readonly volume: string; readonly revision: number }[];
  readonly secrets: readonly { readonly volume: string; readonly runDigest: string }[];
  /** Names of volumes that keep images for it while its cluster is stopped. */
  readonly imageClaims: readonly string[];
}

export interface ClusterView {
  readonly workloads: ReadonlyMap<string, WorkloadView>;
  readonly volumes: readonly Volume[];
}

/** Each takes a connection: over ssh a process and a login, of which a server takes ten at once and then refuses some. */
const INSPECTED_AT_ONCE = 8;

/** What the engine has of a cluster now. */
export async function viewCluster(engine: Engine, cluster: string): Promise<ClusterView> {
  const filter = [clusterFilter(cluster)];
  const [volumes, listed] = await Promise.all([engine.volumes.list(filter), engine.containers.list(filter)]);
  const inspected = await mapAtOnce(listed, INSPECTED_AT_ONCE, ({ Id }) => engine.containers.inspect(Id));
  // What was removed since it was listed is not there.
  const containers = inspected.filter((container) => container !== undefined);
  const ids = new Set([...volumes, ...containers].flatMap((thing) => labelsOf(thing)[LABEL.workload] ?? []));
  const workloads = [...ids].map((id) => viewWorkload(id, volumes, containers));
  return { volumes, workloads: new Map(workloads.map((view) => [view.id, view])) };
}

/** As for a workload that nobody has heard of. */
export function workloadIn({ workloads }: ClusterView, id: string): WorkloadView {
  return workloads.get(id) ?? viewWorkload(id, [], []);
}

export function isOfKind(thing: Volume | InspectedContainer, kind: Kind): boolean {
  return labelsOf(thing)[LABEL.kind] === kind;
}

export function labelsOf(thing: Volume | InspectedContainer): Readonly<Record<string, string>> {
  return ("Config" in thing ? thing.Config.Labels : thing.Labels) ?? {};
}

function viewWorkload(
  id: string,
  allVolumes: readonly Volume[],
  allContainers: readonly InspectedContainer[],
): WorkloadView {
  const isMine = (thing: Volume | InspectedContainer): boolean => labelsOf(thing)[LABEL.workload] === id;
  const volumes = allVolumes.filter(isMine);
  const containers = allContainers.filter(isMine);
  const instances = containers
    .filter((container) => isOfKind(container, "instance"))
    .map(parseInstance)
    .sort((left, right) => left.serial - right.serial);
  const recordVolumes = volumes.filter((volume) => isOfKind(volume, "record"));
  const record =
    latest(recordVolumes) ?? latest(instances.filter(hasStarted).map(({ inspected }) => inspected));
  const isAccepted = ({ revision }: InstanceContainer): boolean =>
    record !== undefined && revision <= record.revision;
  return {
    id,
    ...(record === undefined ? {} : { record }),
    containers: instances.filter(isAccepted),
    pending: instances.filter((instance) => !isAccepted(instance)),
    helpers: containers.filter((container) => isOfKind(container, "helper")).map(({ Id }) => Id),
    records: recordVolumes.map((volume) => ({
      volume: volume.Name,
      revision: Number(labelsOf(volume)[LABEL.revision]),
    })),
    secrets: volumes
      .filter((volume) => isOfKind(volume, "secrets"))
      .map((volume) => ({ volume: volume.Name, runDigest: labelsOf(volume)[LABEL.runDigest] ?? "" })),
    imageClaims: volumes.filter((volume) => isOfKind(volume, "image-claim")).map(({ Name }) => Name),
  };
}

function latest(things: readonly (Volume | InspectedContainer)[]): WorkloadRecord | undefined {
  return things
    .map((thing) => parseRecord(labelsOf(thing)[LABEL.record]))
    .filter((record) => record !== undefined)
    .sort((left, right) => right.revision - left.revision)[0];
}

/** Only what was accepted is ever started. */
function hasStarted({ inspected }: InstanceContainer): boolean {
  return inspected.State.Status !== "created";
}

function parseInstance(inspected: InspectedContainer): InstanceContainer {
  const labels = labelsOf(inspected);
  const instance = labels[LABEL.instance] ?? "";
  return {
    id: inspected.Id,
    instance,
    serial: Number(instance.slice(instance.lastIndexOf("-") + 1)),
    runDigest: labels[LABEL.runDigest] ?? "",
    revision: Number(labels[LABEL.revision] ?? 0),
    holds: JSON.parse(labels[LABEL.holds] ?? '{"ports":[]}') as Holdings,
    inspected,
  };
}
