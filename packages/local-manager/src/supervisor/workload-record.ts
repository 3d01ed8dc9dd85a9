import { ManagerError, type WorkloadSpec } from "@clipper-serving/spec";
import type { ProcessIdentity } from "../process-identity.js";
import { MANAGER } from "../wire-error.js";
import type { PlacePorts } from "./place-ports.js";

/**
 * What is written down of a workload, so that the next supervisor knows what was there, gives it the same addresses, and finds what
 * the last one may have left running. The bytes of secrets are not.
 */
export interface WorkloadRecord {
  readonly formatVersion: 1;
  readonly spec: Omit<WorkloadSpec, "secretFiles">;
  readonly specDigest: string;
  /** Serial of the next instance. */
  readonly nextSerial: number;
  /** Ports of the machine that belong to each place, by the name of the workload's port; also of places that are not used now. */
  readonly ports: readonly PlacePorts[];
  readonly places: readonly PlaceRecord[];
  /** Every process of it that runs, those on their way out included. */
  readonly processes: readonly ProcessIdentity[];
}

export interface PlaceRecord {
  /** Serial of the instance that is there, or was there last. */
  readonly serial?: number;
}

/** @returns the record in a file, or undefined when it is not one */
export function parseWorkloadRecord(value: unknown): WorkloadRecord | undefined {
  const record = value as Partial<WorkloadRecord> | null | undefined;
  return typeof record === "object" &&
    record !== null &&
    record.formatVersion === 1 &&
    typeof record.spec?.id === "string" &&
    typeof record.specDigest === "string" &&
    Number.isSafeInteger(record.nextSerial) &&
    Array.isArray(record.ports) &&
    Array.isArray(record.places) &&
    Array.isArray(record.processes)
    ? (record as WorkloadRecord)
    : undefined;
}

export function recordNotWritten(workload: string, directory: string, cause: unknown): ManagerError {
  return new ManagerError({
    manager: MANAGER,
    code: "RECORD_NOT_WRITTEN",
    message: `what workload ${workload} is cannot be written down: ${(cause as Error).message}`,
    hint: `see that ${directory} can be written and has space`,
    facts: { workload, directory },
    cause,
  });
}
