import { createHash } from "node:crypto";
import { canonicalJson, type WorkloadSpec } from "@clipper-serving/spec";

/**
 * @returns a digest of what a container is made from: equal for specs that differ only in what can be changed under a running one
 * (labels, count, grace)
 */
export function runDigest(spec: WorkloadSpec): string {
  const { labels: _labels, instances: _instances, graceMs: _graceMs, secretFiles, ...made } = spec;
  const secrets = Object.entries(secretFiles).map(([name, bytes]) => [name, digest(bytes)]);
  return digest(canonicalJson({ ...made, secrets: Object.fromEntries(secrets) }));
}

function digest(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
