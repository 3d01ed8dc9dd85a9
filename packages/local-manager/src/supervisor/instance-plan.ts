import { join } from "node:path";
import {
  type Address,
  formatAddress,
  type InstanceEnvironment,
  listenVariable,
  type WorkloadPort,
  type WorkloadSpec,
} from "@clipper-serving/spec";
import { LIFELINE_DESCRIPTOR } from "./instance.js";
import type { SocketNames } from "./socket-names.js";

/** A version of a workload as its instances are started from it. */
export interface WorkloadVersion {
  readonly spec: WorkloadSpec;
  readonly runDigest: string;
  readonly graceMs: number;
  /** Absent without secrets. */
  readonly secretsDirectory: string | undefined;
}

export interface InstancePlanOptions {
  readonly cluster: string;
  readonly version: WorkloadVersion;
  readonly serial: number;
  /** Ports of the machine that belong to the instance's place. */
  readonly ports: Readonly<Record<string, number>>;
  readonly sockets: SocketNames;
  readonly volumes: string;
}

/** @returns where an instance listens, by port: on the machine's port where the place has one, else on a socket */
export function listenAddresses({
  version,
  serial,
  ports,
  sockets,
}: InstancePlanOptions): Map<string, Address> {
  const { id, ports: wanted } = version.spec;
  return new Map(
    wanted.map(({ name }): [string, Address] => {
      const port = ports[name];
      if (port !== undefined) return [name, { kind: "tcp", host: "127.0.0.1", port }];
      return [name, { kind: "unix", path: sockets.ofInstance(id, serial, name) }];
    }),
  );
}

/** @returns what the manager tells an instance, beside the spec's own environment */
export function instanceEnvironment(
  options: InstancePlanOptions,
  listens: ReadonlyMap<string, Address>,
): Record<string, string> {
  const { cluster, version, serial, volumes } = options;
  const { id, volume } = version.spec;
  const told: InstanceEnvironment = {
    CLIPPER_CLUSTER: cluster,
    CLIPPER_WORKLOAD: id,
    CLIPPER_INSTANCE: `${id}-${serial}`,
    CLIPPER_LIFELINE: String(LIFELINE_DESCRIPTOR),
    ...(volume === undefined ? {} : { CLIPPER_VOLUME: join(volumes, volume.name) }),
    ...(version.secretsDirectory === undefined ? {} : { CLIPPER_SECRETS: version.secretsDirectory }),
  };
  const listen = [...listens].map(([port, address]) => [listenVariable(port), formatAddress(address)]);
  return { ...(told as unknown as Record<string, string>), ...Object.fromEntries(listen) };
}

/** Whether a port is one of the machine's: callers outside use it, or sockets cannot be used. */
export function usesTcp(port: Pick<WorkloadPort, "outside">, sockets: SocketNames): boolean {
  return port.outside || !sockets.areShortEnough;
}
