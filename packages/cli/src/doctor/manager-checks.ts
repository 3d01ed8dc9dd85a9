import {
  type CallOptions,
  type ClipperConnection,
  ClipperError,
  type ClusterSettings,
  failedCheck,
  type PlatformCheck,
  type PlatformFacts,
} from "@clipper-serving/core";

export interface ManagerChecksRequest {
  /** As the user calls the manager. */
  readonly name: string;
  /** Disposed of here. */
  readonly open: () => Promise<Pick<ClipperConnection, "facts" | "diagnose" | "close">>;
  readonly settings?: ClusterSettings;
  readonly pythonMinors?: readonly string[];
}

/** @returns whether a container manager's platform answers, and what it is, then what it says of the cluster; else why not, in its own words */
export async function managerChecks(
  { name, open, settings = {}, pythonMinors = [] }: ManagerChecksRequest,
  call: CallOptions = {},
): Promise<readonly PlatformCheck[]> {
  try {
    const connection = await open();
    try {
      const evidence = evidenceOf(await connection.facts(call));
      const checks = await connection.diagnose({ settings, pythonMinors }, call);
      return [{ name, state: "ok", evidence }, ...checks];
    } finally {
      await connection.close();
    }
  } catch (error) {
    call.signal?.throwIfAborted();
    if (!ClipperError.isInstance(error)) throw error;
    return [failedCheck(name, error)];
  }
}

function evidenceOf({ versions, platforms, gpus }: PlatformFacts): string {
  const programs = Object.entries(versions).map(([program, version]) => `${program} ${version}`);
  const has = gpus > 0 ? [`${gpus} GPU${gpus === 1 ? "" : "s"}`] : [];
  return [...programs, ...platforms, ...has].join(", ");
}
