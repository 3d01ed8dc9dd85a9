/** Predictions answered by a model that the query frontend's metrics count for an application. */
export async function countedQueries(url: string, app: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const line = `clipper_queries_total{application="${app}",outcome="ok"} `;
  return metrics
    .split("\n")
    .filter((text) => text.startsWith(line))
    .reduce((sum, text) => sum + Number(text.slice(line.length)), 0);
}
