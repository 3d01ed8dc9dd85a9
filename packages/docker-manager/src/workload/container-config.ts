import {
  formatAddress,
  type InstanceEnvironment,
  listenVariable,
  outsideVariable,
  type WorkloadSpec,
} from "@clipper-serving/spec";
import type { DockerOverlay } from "../docker-overlay.js";
import { graceSeconds } from "../engine/containers.js";
import type { Holdings } from "./cluster-view.js";
import { LABEL, labelsFor } from "./labels.js";
import { instanceAlias, instanceId, placeAlias, secretsVolumeName, volumeName } from "./names.js";
import type { PlacePorts, WorkloadRecord } from "./workload-record.js";

/** The user and group that every instance runs as: no account of any host. */
export const INSTANCE_USER = 65_532;
/** Where an instance finds its secret files. */
export const SECRETS_PATH = "/run/clipper/secrets";
const MOST_PROCESSES = 4_096;
const DEFAULT_SCRATCH_BYTES = 256 * 2 ** 20;

export interface ContainerPlan {
  readonly cluster: string;
  readonly spec: WorkloadSpec;
  readonly overlay: DockerOverlay;
  readonly record: WorkloadRecord;
  readonly place: number;
  /** Image to make it from, by name or id. */
  readonly image: string;
  readonly network: string;
  readonly publishAddress: string;
  /** Where callers reach what is published. */
  readonly callerHost: string;
}

/** What the engine is told to make for one instance: as little as a program needs. */
export function containerConfig(plan: ContainerPlan): object {
  const { spec, overlay, image, network } = plan;
  const { command } = spec;
  return {
    Image: image,
    ...(command.length === 0 ? {} : { Entrypoint: command, Cmd: [] }),
    User: `${INSTANCE_USER}:${INSTANCE_USER}`,
    Hostname: instanceId(spec.id, serialOf(plan)),
    Env: Object.entries(environment(plan)).map(([name, value]) => `${name}=${value}`),
    Labels: { ...overlay.labels, ...labels(plan) },
    ExposedPorts: Object.fromEntries(spec.ports.map(({ port }) => [`${port}/tcp`, {}])),
    StopSignal: "SIGTERM",
    // For those who stop it by hand, and for the engine when its machine shuts down.
    StopTimeout: graceSeconds(spec.graceMs),
    // An image's own check would say nothing that `ready` does not, once every few seconds.
    Healthcheck: { Test: ["NONE"] },
    HostConfig: hostConfig(plan),
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: aliases(plan) } } },
  };
}

/** @returns what of the machine an instance holds */
export function holdings({
  spec,
  record,
  place,
}: Pick<ContainerPlan, "spec" | "record" | "place">): Holdings {
  return {
    ports: outsidePorts(spec, record.ports[place] ?? {}).map(([, port]) => port),
    ...(spec.volume === undefined ? {} : { volume: spec.volume.name }),
  };
}

function hostConfig({
  cluster,
  spec,
  overlay,
  record,
  place,
  network,
  publishAddress,
}: ContainerPlan): object {
  const { memoryBytes, cpus, gpus = 0, scratch = {} } = spec.resources;
  const { bytes = DEFAULT_SCRATCH_BYTES, executable = false } = scratch;
  const published = new Map(outsidePorts(spec, record.ports[place] ?? {}));
  // Whoever lists asks whether it is ready through the machine's loopback, like any caller.
  if (spec.ready !== "running" && !published.has(spec.ready.port)) published.set(spec.ready.port, 0);
  const bindings = spec.ports.flatMap(({ name, port }) => {
    const number = published.get(name);
    if (number === undefined) return [];
    return [[`${port}/tcp`, [{ HostIp: publishAddress, HostPort: number === 0 ? "" : String(number) }]]];
  });
  return {
    NetworkMode: network,
    PortBindings: Object.fromEntries(bindings),
    RestartPolicy: { Name: "unless-stopped" },
    ReadonlyRootfs: true,
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges"],
    PidsLimit: MOST_PROCESSES,
    Tmpfs: { "/tmp": `rw,nosuid,nodev,${executable ? "exec" : "noexec"},size=${bytes},mode=1777` },
    LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    Mounts: mounts({ cluster, spec, overlay, record, place }),
    // Memory that is over is told and restarted, not swapped.
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    ...(gpus === 0 ? {} : { DeviceRequests: [{ Driver: "", Count: gpus, Capabilities: [["gpu"]] }] }),
    ...(overlay.extraHosts === undefined
      ? {}
      : { ExtraHosts: Object.entries(overlay.extraHosts).map(([name, address]) => `${name}:${address}`) }),
    ...(overlay.runtime === undefined ? {} : { Runtime: overlay.runtime }),
    ...(overlay.shmBytes === undefined ? {} : { ShmSize: overlay.shmBytes }),
    ...(overlay.ulimits === undefined
      ? {}
      : {
          Ulimits: Object.entries(overlay.ulimits).map(([Name, { soft, hard }]) => ({
            Name,
            Soft: soft,
            Hard: hard,
          })),
        }),
  };
}

function mounts({
  cluster,
  spec,
  overlay,
  record,
  place,
}: Pick<ContainerPlan, "cluster" | "spec" | "overlay" | "record" | "place">): object[] {
  const own = [
    ...(spec.volume === undefined
      ? []
      : [{ source: volumeName(cluster, spec.volume.name), target: spec.volume.mountPath, readOnly: false }]),
    ...(Object.keys(spec.secretFiles).length === 0
      ? []
      : [
          {
            source: secretsVolumeName(cluster, spec.id, record.places[place]!.runDigest),
            target: SECRETS_PATH,
          },
        ]),
  ];
  return [...own, ...(overlay.volumes ?? [])].map(({ source, target, readOnly = true }) => ({
    Type: source.startsWith("/") ? "bind" : "volume",
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    // What the image has there would come with the image's owner.
    ...(source.startsWith("/") ? {} : { VolumeOptions: { NoCopy: true } }),
  }));
}

function labels({ cluster, spec, record, place }: ContainerPlan): Record<string, string> {
  const { serial, runDigest } = record.places[place]!;
  return {
    ...labelsFor(cluster, "instance", spec.id),
    [LABEL.instance]: instanceId(spec.id, serial),
    [LABEL.runDigest]: runDigest,
    [LABEL.revision]: String(record.revision),
    [LABEL.holds]: JSON.stringify(holdings({ spec, record, place })),
    [LABEL.record]: JSON.stringify(record),
  };
}

function environment(plan: ContainerPlan): Record<string, string> {
  const { cluster, spec, record, place, callerHost } = plan;
  const told: InstanceEnvironment = {
    CLIPPER_CLUSTER: cluster,
    CLIPPER_WORKLOAD: spec.id,
    CLIPPER_INSTANCE: instanceId(spec.id, serialOf(plan)),
    ...(spec.volume === undefined ? {} : { CLIPPER_VOLUME: spec.volume.mountPath }),
    ...(Object.keys(spec.secretFiles).length === 0 ? {} : { CLIPPER_SECRETS: SECRETS_PATH }),
  };
  const listens = spec.ports.map(({ name, port }) => [listenVariable(name), `tcp:0.0.0.0:${port}`]);
  const outsides = outsidePorts(spec, record.ports[place] ?? {}).map(([name, port]) => [
    outsideVariable(name),
    formatAddress({ kind: "tcp", host: callerHost, port }),
  ]);
  return {
    ...spec.env,
    ...(told as unknown as Record<string, string>),
    ...Object.fromEntries([...listens, ...outsides]),
  };
}

function aliases(plan: ContainerPlan): string[] {
  const { spec, place } = plan;
  return [spec.id, placeAlias(spec.id, place), instanceAlias(spec.id, serialOf(plan))];
}

function outsidePorts(spec: Pick<WorkloadSpec, "ports">, ports: PlacePorts): [string, number][] {
  return spec.ports.flatMap(({ name, outside }) => {
    const port = ports[name];
    return outside && port !== undefined ? [[name, port]] : [];
  });
}

function serialOf({ record, place }: Pick<ContainerPlan, "record" | "place">): number {
  return record.places[place]!.serial;
}
