/**
 * Replicas of a model that a query frontend would give a batch to now, by its own word.
 * @returns by the replica's id, which run of it: one that was started again is another
 */
export async function routedReplicas(url: string, model: string): Promise<ReadonlyMap<string, string>> {
  const { versions } = (await (await fetch(`${url}/metrics/inspect`)).json()) as {
    versions: readonly {
      model: string;
      replicas: readonly { replicaId: string; incarnation: string; state: string }[];
    }[];
  };
  const replicas = versions.flatMap((version) => (version.model === model ? version.replicas : []));
  return new Map(
    replicas.flatMap(({ replicaId, incarnation, state }) =>
      state === "ready" ? [[replicaId, incarnation]] : [],
    ),
  );
}
