import { type CallOptions, TimeoutError, type WorkloadSpec } from "@clipper-serving/spec";
import type { ClusterParts } from "./cluster-parts.js";
import { pollUntil } from "./polling.js";

/** How long the cluster's own programs may take to come up, ms. */
export const READY_TIMEOUT_MS = 30_000;

export async function applyWorkload(
  { manager, cluster }: ClusterParts,
  spec: WorkloadSpec,
  options: CallOptions,
): Promise<void> {
  options.onProgress?.({ step: `${spec.id}-start`, state: "started", message: `starting ${spec.id}` });
  await manager.apply(cluster, spec, options);
}

export async function waitUntilReady(
  parts: ClusterParts,
  spec: WorkloadSpec,
  { timeoutMs = READY_TIMEOUT_MS, ...options }: CallOptions & { readonly timeoutMs?: number },
): Promise<void> {
  const { manager, cluster } = parts;
  const step = `${spec.id}-start`;
  let last = "";
  try {
    await pollUntil(
      async () => {
        const workload = (await manager.list(cluster, options)).find(({ id }) => id === spec.id);
        last = (workload?.instances ?? []).map(({ state, reason }) => reason ?? state).join("; ");
        const settled = spec.ready === "running" ? ["running", "ready"] : ["ready"];
        return workload?.instances.some(({ state }) => settled.includes(state)) || undefined;
      },
      { what: `${spec.id} being ready`, timeoutMs, everyMs: 30, signal: options.signal },
    );
  } catch (cause) {
    options.onProgress?.({ step, state: "failed", message: `${spec.id} did not get ready: ${last}` });
    if (!TimeoutError.isInstance(cause)) throw cause;
    throw new TimeoutError({
      what: `${spec.id} being ready (${last || "no instance"})`,
      timeoutMs,
      hint: "look at its log with `clipper logs`",
      facts: { workload: spec.id, log: await tailOf(parts, spec.id) },
      cause,
    });
  }
  options.onProgress?.({ step, state: "done", message: `${spec.id} is ready` });
}

/** The last lines a workload wrote, for errors. */
export async function tailOf(
  { manager, cluster }: Pick<ClusterParts, "manager" | "cluster">,
  id: string,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of manager.logs(cluster, { id, tail: 50 })) lines.push(text);
  return lines.slice(-50);
}
