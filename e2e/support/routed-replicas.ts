/** Replicas of a model that a query frontend would give a batch to now, by its own word. */
export async function routedReplicas(url: string, model: string): Promise<ReadonlySet<string>> {
  const { versions } = (await (await fetch(`${url}/metrics/inspect`)).json()) as {
    versions: readonly {
      model: string;
      replicas: readonly { replicaId: string; state: string }[];
    }[];
  };
  const replicas = versions.flatMap((version) => (version.model === model ? version.replicas : []));
  return new Set(replicas.filter(({ state }) => state === "ready").map(({ replicaId }) => replicaId));
}
