import { createHash } from "node:crypto";
import type { WorkloadSpec } from "./container-manager.js";

/** @returns JSON with the keys of every object sorted, so that equal values give equal text */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner) && !(inner instanceof Uint8Array)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/**
 * @returns `sha256:…`, equal for specs that mean the same. Neither `instances` nor a secret's bytes can be read off it: the count is
 * left out, secrets are hashed on their own first.
 */
export function workloadDigest(spec: WorkloadSpec): string {
  const { instances: _count, secretFiles, ...rest } = spec;
  const secrets = Object.fromEntries(
    Object.entries(secretFiles).map(([name, bytes]) => [
      name,
      createHash("sha256").update(bytes).digest("hex"),
    ]),
  );
  return `sha256:${createHash("sha256")
    .update(canonicalJson({ ...rest, secrets }))
    .digest("hex")}`;
}
