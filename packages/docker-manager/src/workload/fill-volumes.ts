import type { WorkloadSpec } from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { INSTANCE_USER, SECRETS_PATH } from "./container-config.js";
import { labelsFor } from "./labels.js";
import { type TarEntry, tarOf } from "./tar.js";

export interface FillOptions {
  readonly engine: Engine;
  readonly cluster: string;
  readonly spec: WorkloadSpec;
  /** Any that the engine has: nothing of it is run. */
  readonly image: string;
  /** The volume to hold the secrets, where there are any. */
  readonly secrets: string | undefined;
  /** The workload's own volume, where it has one. */
  readonly volume: string | undefined;
}

/**
 * Writes secrets into their volume, and gives the workload's own volume to the user that instances run as. The engine does both through a
 * container that is never started: so instances can have the secrets read-only and a root that cannot be written.
 */
export async function fillVolumes(options: FillOptions): Promise<void> {
  const { engine, cluster, spec, image, secrets, volume } = options;
  const mounts = [
    ...(secrets === undefined ? [] : [mount(secrets, SECRETS_PATH)]),
    ...(volume === undefined ? [] : [mount(volume, spec.volume!.mountPath)]),
  ];
  const id = await engine.containers.create(undefined, {
    Image: image,
    Entrypoint: ["never-started"],
    Cmd: [],
    Labels: labelsFor(cluster, "helper", spec.id),
    HostConfig: { NetworkMode: "none", Mounts: mounts },
  });
  try {
    const entries = [
      ...(secrets === undefined ? [] : secretEntries(spec)),
      ...(volume === undefined ? [] : [directory(spec.volume!.mountPath, 0o700)]),
    ];
    await engine.containers.putArchive(id, "/", tarOf(entries));
  } finally {
    await engine.containers.remove(id);
  }
}

function secretEntries({ secretFiles }: WorkloadSpec): TarEntry[] {
  return [
    directory(SECRETS_PATH, 0o500),
    ...Object.entries(secretFiles).map(
      ([name, bytes]): TarEntry => ({
        path: `${SECRETS_PATH.slice(1)}/${name}`,
        kind: "file",
        mode: 0o400,
        owner: INSTANCE_USER,
        bytes,
      }),
    ),
  ];
}

function directory(path: string, mode: number): TarEntry {
  return { path: `${path.replace(/^\/+|\/+$/g, "")}/`, kind: "directory", mode, owner: INSTANCE_USER };
}

function mount(source: string, target: string): object {
  return { Type: "volume", Source: source, Target: target, VolumeOptions: { NoCopy: true } };
}
