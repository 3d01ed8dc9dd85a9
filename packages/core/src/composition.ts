import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundlePath as managementBundle } from "@clipper-serving/management-frontend/bundle";
import { bundlePath as queryBundle } from "@clipper-serving/query-frontend/bundle";
import {
  type ContainerManagerOrigin,
  ROLE_LABEL,
  type WorkloadPort,
  type WorkloadRole,
  type WorkloadSpec,
} from "@clipper-serving/spec";
import type { ClusterSecrets } from "./cluster-secrets.js";
import type { ResolvedClusterSettings } from "./cluster-settings.js";

/*
 * A cluster, as data: which workloads it is made of besides its replicas. The same for every container manager.
 */

export const MANAGEMENT = { id: "management-frontend", port: "management" } as const;
export const QUERY = { id: "query-frontend", port: "query", rpcPort: "rpc" } as const;

/** Ports inside a frontend's own network; a directory program is told which one is free. */
const INSIDE_PORTS = { management: 1338, query: 1337, rpc: 7000 } as const;

/** How a frontend is started on the platform. */
export interface FrontendProgram {
  readonly program: WorkloadSpec["program"];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export type FrontendPrograms = Readonly<Record<"query" | "management", FrontendProgram>>;

/** What management is told besides what every cluster has. */
export interface ManagementSecrets extends ClusterSecrets {
  /** Of the Redis that keeps the state, with its password. */
  readonly redisUrl?: Uint8Array | undefined;
}

export const CONTROLLER = { id: "controller" } as const;

const CONTROLLER_PROGRAM = fileURLToPath(new URL("./controller-program.js", import.meta.url));

/** Plain processes run the bundles where they are installed. */
export const directoryFrontends: FrontendPrograms = {
  query: nodeProgram(queryBundle),
  management: nodeProgram(managementBundle),
};

export function managementWorkload(
  frontend: FrontendProgram,
  { ports, clipperRest, state }: ResolvedClusterSettings,
  { token, redisUrl }: ManagementSecrets,
): WorkloadSpec {
  return {
    ...frontendDefaults("management-frontend", frontend),
    id: MANAGEMENT.id,
    env: {
      ...frontend.env,
      ...(clipperRest ? { CLIPPER_COMPAT: "1" } : {}),
      ...(state === undefined
        ? {}
        : { CLIPPER_STATE: "redis", CLIPPER_REDIS_PREFIX: state.redis.prefix ?? "" }),
    },
    secretFiles: { token, ...(redisUrl === undefined ? {} : { "redis-url": redisUrl }) },
    ports: [portOf(frontend, MANAGEMENT.port, { outside: true, pinned: ports.management })],
    ready: { http: "/readyz", port: MANAGEMENT.port },
    ...(state === undefined ? { volume: { name: "state", mountPath: "/var/lib/clipper/state" } } : {}),
  };
}

export function queryWorkload(
  frontend: FrontendProgram,
  settings: ResolvedClusterSettings,
  secrets: ClusterSecrets,
  managementAddress: string,
): WorkloadSpec {
  return {
    ...frontendDefaults("query-frontend", frontend),
    id: QUERY.id,
    env: {
      ...frontend.env,
      CLIPPER_MANAGEMENT: managementAddress,
      CLIPPER_CACHE_BYTES: String(settings.cacheBytes),
    },
    secretFiles: { token: secrets.token, rpc: secrets.rpc },
    ports: [
      portOf(frontend, QUERY.port, { outside: true, pinned: settings.ports.query }),
      portOf(frontend, QUERY.rpcPort, { outside: false }),
    ],
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
    ...frontendDefaults("controller", nodeProgram(CONTROLLER_PROGRAM)),
    id: CONTROLLER.id,
    env: { CLIPPER_MANAGEMENT: managementAddress, CLIPPER_MANAGER: JSON.stringify(origin) },
    secretFiles: { token: secrets.token, rpc: secrets.rpc },
    ports: [],
    ready: "running",
  };
}

function nodeProgram(file: string): FrontendProgram {
  return {
    program: { kind: "directory", path: path.dirname(file) },
    command: [process.execPath, file],
    env: {},
  };
}

function frontendDefaults(role: WorkloadRole, { program, command }: FrontendProgram) {
  return { labels: { [ROLE_LABEL]: role }, program, command, instances: 1, resources: {}, graceMs: 10_000 };
}

function portOf(
  { program }: FrontendProgram,
  name: keyof typeof INSIDE_PORTS,
  { outside, pinned }: { readonly outside: boolean; readonly pinned?: number | undefined },
): WorkloadPort {
  return {
    name,
    port: program.kind === "image" ? INSIDE_PORTS[name] : 0,
    outside,
    ...(pinned === undefined ? {} : { pinned }),
  };
}
