import type { ClipperConnection } from "@clipper-serving/core";

/** @param latencies ms */
export function describeLatencies(latencies: readonly number[]): string {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms`;
}

/** What the frontend did with the queries, and what to type next. */
export async function describeNextSteps(
  clipper: ClipperConnection,
  image: readonly number[],
): Promise<string> {
  const { query } = clipper.endpoints;
  return [
    await describeBatches(query.url),
    "",
    "the cluster is up; try next:",
    `  curl -s ${query.url}/digits/predict -d '{"input": ${JSON.stringify(image)}}'`,
    "  npx clipper status --cluster quickstart",
    "  npx clipper model scale digits 1 2 --cluster quickstart",
    "  npx clipper down --purge --cluster quickstart",
  ].join("\n");
}

async function describeBatches(url: string): Promise<string> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const total = (name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, "gm"))]
      .map(([, value]) => Number(value))
      .reduce((sum, value) => sum + value, 0);
  const batches = total("clipper_batch_size_count");
  const inputs = total("clipper_batch_size_sum");
  return `batches: ${batches} with ${inputs} inputs, ${(inputs / Math.max(1, batches)).toFixed(1)} on average`;
}
