import {
  type ContainerManager,
  parseAddress,
  ROLE_LABEL,
  UnsupportedError,
  type WorkloadRole,
  type WorkloadSpec,
} from "@clipper-serving/spec";
import type { ResolvedClusterSettings } from "./cluster-settings.js";
import { redisImage } from "./image-names.js";

/** The Redis that a cluster runs itself, as a workload. */
export const REDIS = { id: "redis", port: "redis" } as const;

const ROLE: WorkloadRole = "redis";
const PORT = 6_379;
const DIRECTORY = "/var/lib/clipper/redis";
const CONFIGURATION = "redis.conf";

/** @throws UnsupportedError where the manager cannot run one */
export function checkCanManageRedis({ name, capabilities }: ContainerManager): void {
  if (capabilities.program === "image" && capabilities.volumes) return;
  throw new UnsupportedError({
    manager: name,
    what: "a Redis of the cluster's own, which is an image with a volume",
    hint: "leave the records on the cluster's volume, or name a Redis that runs: --redis redis://HOST",
  });
}

/** Only whoever has the password is served: management alone is told. */
export function redisWorkload({ images }: ResolvedClusterSettings, password: Uint8Array): WorkloadSpec {
  return {
    id: REDIS.id,
    labels: { [ROLE_LABEL]: ROLE },
    program: { kind: "image", ref: redisImage(images) },
    // Where secrets lie is the platform's to say, and Redis takes no password but from its arguments or this file.
    command: ["/bin/sh", "-c", `exec redis-server "$CLIPPER_SECRETS/${CONFIGURATION}"`],
    env: {},
    secretFiles: { [CONFIGURATION]: configuration(Buffer.from(password).toString("utf8")) },
    instances: 1,
    ports: [{ name: REDIS.port, port: PORT, outside: false }],
    ready: "running",
    volume: { name: "redis", mountPath: DIRECTORY },
    resources: {},
    graceMs: 10_000,
  };
}

/** @returns where management finds it, with the password */
export function managedRedisUrl(address: string, password: Uint8Array): Uint8Array {
  const parsed = parseAddress(address);
  const host = parsed?.kind === "tcp" ? `${parsed.host}:${parsed.port}` : address;
  return Buffer.from(`redis://:${Buffer.from(password).toString("utf8")}@${host}`);
}

/** What is acknowledged is on the disk, and nothing is thrown away for want of memory: what the store asks of a Redis. */
function configuration(password: string): Uint8Array {
  return Buffer.from(
    [
      `port ${PORT}`,
      "bind * -::*",
      `requirepass ${password}`,
      `dir ${DIRECTORY}`,
      "appendonly yes",
      "appendfsync always",
      "no-appendfsync-on-rewrite no",
      "maxmemory-policy noeviction",
      // The log of appends is enough.
      'save ""',
      "",
    ].join("\n"),
  );
}
