import { createHash } from "node:crypto";
import { canonicalJson, type WorkloadSpec } from "@clipper-serving/spec";

/**
 * @returns a digest of what a process is started from: equal for specs that differ only in what can be changed under a running
 * process (labels, count, grace)
 */
export function runDigest(spec: WorkloadSpec): string {
  const { program, command, env, secretFiles, ports, ready, volume } = spec;
  const secrets = Object.entries(secretFiles).map(([name, bytes]) => [name, digest(bytes)]);
  return digest(
    canonicalJson({ program, command, env, secrets: Object.fromEntries(secrets), ports, ready, volume }),
  );
}

/** Whether instances of both specs would want the same volume, or the same port of the machine, so that they cannot run side by side. */
export function excludeEachOther(
  a: WorkloadSpec,
  b: WorkloadSpec,
  usesTcp: (port: { outside: boolean }) => boolean,
): boolean {
  const names = new Set(a.ports.filter(usesTcp).map(({ name }) => name));
  const sharesPort = b.ports.some((port) => usesTcp(port) && names.has(port.name));
  return sharesPort || (a.volume !== undefined && a.volume.name === b.volume?.name);
}

function digest(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
