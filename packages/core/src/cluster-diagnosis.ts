import type { CallOptions, ClusterRef, ContainerManager, PlatformCheck } from "@clipper-serving/spec";
import type { ResolvedClusterSettings } from "./cluster-settings.js";
import { frontendBase, pythonBase, redisImage } from "./image-names.js";

export interface ClusterDiagnosis {
  readonly manager: ContainerManager;
  readonly cluster: ClusterRef;
  readonly settings: ResolvedClusterSettings;
  /** Of the interpreters that models are deployed from, where the settings name no image for any. */
  readonly pythonMinors: readonly string[];
}

/** What a platform says of a cluster with these settings; nothing where its manager looks at nothing. */
export async function diagnoseCluster(
  { manager, cluster, settings, pythonMinors }: ClusterDiagnosis,
  options: CallOptions,
): Promise<readonly PlatformCheck[]> {
  const { images, ports, state } = settings;
  const named = Object.keys(images.python ?? {});
  const minors = named.length > 0 ? named : pythonMinors;
  const request = {
    cluster,
    baseImages:
      manager.capabilities.program === "image"
        ? [
            frontendBase(images),
            ...minors.map((minor) => pythonBase(images, minor)),
            ...Object.values(images.pyspark ?? {}),
            ...(state?.redis.managed === true ? [redisImage(images)] : []),
          ]
        : [],
    pinnedPorts: Object.values(ports),
  };
  return (await manager.diagnose?.(request, options)) ?? [];
}
