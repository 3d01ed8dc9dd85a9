/** What is known of replicas that do not run. */
export interface ReplicaFacts {
  readonly model: string;
  readonly version: string;
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean | undefined;
  /** The last lines of the log, at most 50. */
  readonly log?: readonly string[] | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** @returns them as an error's facts, without what is not known */
export function replicaFacts(known: ReplicaFacts): Record<string, unknown> {
  const { model, version, exitCode, oomKilled, log, facts } = known;
  return {
    ...facts,
    model,
    version,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(oomKilled === undefined ? {} : { oomKilled }),
    ...(log === undefined ? {} : { log }),
  };
}
