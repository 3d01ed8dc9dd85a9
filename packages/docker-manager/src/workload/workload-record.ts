import type { WorkloadSpec } from "@clipper-serving/spec";

export type KeptSpec = Omit<WorkloadSpec, "secretFiles">;

/** Ports of the engine's machine that belong to one place of a workload, by the port's name. */
export type PlacePorts = Readonly<Record<string, number>>;

/**
 * What is wanted of a workload, as it was last applied. Kept on the engine in the labels of a volume that holds nothing else, because labels
 * have no limit there, survive restarts, and a volume's name can be given only once: making the volume of the next revision is
 * the moment a change is accepted. Every container has a copy, for the day somebody prunes volumes.
 */
export interface WorkloadRecord {
  readonly formatVersion: 1;
  readonly revision: number;
  readonly spec: KeptSpec;
  readonly specDigest: string;
  readonly nextSerial: number;
  /** As many as are wanted. */
  readonly places: readonly PlaceRecord[];
  /** Of each place that there ever was: kept while nothing runs there. */
  readonly ports: readonly PlacePorts[];
}

/** One place among a workload's instances. */
export interface PlaceRecord {
  /** Of the instance that is wanted here. */
  readonly serial: number;
  readonly runDigest: string;
  /** Of the instance that serves until the wanted one is ready. */
  readonly previous?: number;
}

/** @returns undefined for what a later version wrote, or somebody else */
export function parseRecord(text: string | undefined): WorkloadRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as Partial<WorkloadRecord> | null;
    const isRecord = record?.formatVersion === 1 && record.spec !== undefined && Array.isArray(record.places);
    return isRecord ? (record as WorkloadRecord) : undefined;
  } catch {
    // Labels can be written by anybody.
    return undefined;
  }
}
