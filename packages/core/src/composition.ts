import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundlePath as managementBundle } from "@clipper-serving/management-frontend/bundle";
import { bundlePath as queryBundle } from "@clipper-serving/query-frontend/bundle";
import type { ContainerManagerOrigin, WorkloadPort, WorkloadSpec } from "@clipper-serving/spec";
import type { ClusterSecrets } from "./cluster-home.js";
import type { ResolvedClusterSettings } from "./cluster-settings.js";

/*
 * A cluster, as data: which workloads it is made of besides its replicas. The same for every container manager whose programs
 * are directories.
 */

export const MANAGEMENT = { id: "management-frontend", port: "management" } as const;
export const QUERY = { id: "query-frontend", port: "query", rpcPort: "rpc" } as const;
export const CONTROLLER = { id: "controller" } as const;

const NODE_PROGRAM = { kind: "directory", path: path.dirname(process.execPath) } as const;

export function managementWorkload(settings: ResolvedClusterSettings, secrets: ClusterSecrets): WorkloadSpec {
  return {
    ...frontendDefaults("management-frontend", managementBundle),
    id: MANAGEMENT.id,
    env: settings.clipperRest ? { CLIPPER_COMPAT: "1" } : {},
    secretFiles: { token: secrets.token },
    ports: [outsidePort(MANAGEMENT.port, settings.ports.management)],
    ready: { http: "/readyz", port: MANAGEMENT.port },
    volume: { name: "state", mountPath: "/var/lib/clipper/state" },
  };
}

export function queryWorkload(
  settings: ResolvedClusterSettings,
  secrets: ClusterSecrets,
  managementAddress: string,
): WorkloadSpec {
  return {
    ...frontendDefaults("query-frontend", queryBundle),
    id: QUERY.id,
    env: { CLIPPER_MANAGEMENT: managementAddress, CLIPPER_CACHE_BYTES: String(settings.cacheBytes) },
    secretFiles: { token: secrets.token, rpc: secrets.rpc },
    ports: [outsidePort(QUERY.port, settings.ports.query), { name: QUERY.rpcPort, port: 0, outside: false }],
    ready: { http: "/readyz", port: QUERY.port },
    volume: { name: "query-frontend", mountPath: "/var/lib/clipper/query-frontend" },
  };
}

/** Keeps the wishes true while nobody is connected; only where its manager can be made again beside the platform. */
export function controllerWorkload(
  origin: ContainerManagerOrigin,
  secrets: ClusterSecrets,
  managementAddress: string,
): WorkloadSpec {
  return {
    ...frontendDefaults("controller", fileURLToPath(new URL("./controller-program.js", import.meta.url))),
    id: CONTROLLER.id,
    env: { CLIPPER_MANAGEMENT: managementAddress, CLIPPER_MANAGER: JSON.stringify(origin) },
    secretFiles: { token: secrets.token, rpc: secrets.rpc },
    ports: [],
    ready: "running",
  };
}

function frontendDefaults(role: string, file: string) {
  return {
    labels: { "clipper.role": role },
    program: NODE_PROGRAM,
    command: [process.execPath, file],
    instances: 1,
    resources: {},
    graceMs: 10_000,
  } as const;
}

function outsidePort(name: string, pinned: number | undefined): WorkloadPort {
  return { name, port: 0, outside: true, ...(pinned === undefined ? {} : { pinned }) };
}
