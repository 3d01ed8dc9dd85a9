/*
 * What things are called on an engine. Between the parts are dots, which names of clusters and workloads cannot have, so that no two
 * things get one name. Names are for people and for being unique: what a thing is, its labels say.
 */

const PREFIX = "clipper";

export function networkName(cluster: string, distinction: string): string {
  return `${PREFIX}.${cluster}.${distinction}`;
}

export function networkClaimName(cluster: string): string {
  return `${PREFIX}.${cluster}.network`;
}

/** Of a container through which an image is looked into, or made. */
export function inspectionName(distinction: string): string {
  return `${PREFIX}.inspection.${distinction}`;
}

export function instanceId(workload: string, serial: number): string {
  return `${workload}-${serial}`;
}

export function containerName(cluster: string, workload: string, serial: number): string {
  return `${PREFIX}.${cluster}.${instanceId(workload, serial)}`;
}

export function volumeName(cluster: string, volume: string): string {
  return `${PREFIX}.${cluster}.volume.${volume}`;
}

export function secretsVolumeName(cluster: string, workload: string, runDigest: string): string {
  return `${PREFIX}.${cluster}.${workload}.secrets.${runDigest.slice(0, 12)}`;
}

export function recordName(cluster: string, workload: string, revision: number): string {
  return `${PREFIX}.${cluster}.${workload}.record.${revision}`;
}

export function imageClaimName(cluster: string, workload: string, digest: string): string {
  return `${PREFIX}.${cluster}.${workload}.image.${digest.slice(0, 12)}`;
}

export function turnName(cluster: string, workload: string, distinction: string): string {
  return `${PREFIX}.${cluster}.${workload}.turn.${distinction}`;
}

/**
 * Names by which workloads of a cluster find each other. A place's name stays when its instance is replaced, and can be used where old and
 * new never run at once; an instance's name is its own.
 */
export function placeAlias(workload: string, place: number): string {
  return `p${place + 1}.${workload}`;
}

export function instanceAlias(workload: string, serial: number): string {
  return `i${serial}.${workload}`;
}
