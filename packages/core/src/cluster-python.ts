import type {
  CallOptions,
  ContainerManager,
  PythonPlatform,
  PythonPlatformRequest,
} from "@clipper-serving/spec";
import type { ResolvedClusterSettings } from "./cluster-settings.js";
import { imagePlatform } from "./frontend-programs.js";
import { hostPlatform } from "./host-platform.js";
import { pysparkBase, pythonBase } from "./image-names.js";
import { directoryPython, imagePython } from "./python-platforms.js";

export interface ClusterPythonOptions {
  readonly manager: ContainerManager;
  /** Those of the cluster; asked for where programs are images. */
  readonly settings: () => Promise<ResolvedClusterSettings>;
  /** Where digests of layers are kept between deploys. */
  readonly cacheDirectory: string;
}

/** What Python replicas of a cluster run on. @throws as `imagePython` */
export async function clusterPython(
  { manager, settings, cacheDirectory }: ClusterPythonOptions,
  { pythonMinor, baseImage, pyspark }: PythonPlatformRequest,
  options: CallOptions,
): Promise<PythonPlatform> {
  if (manager.capabilities.program === "directory") return directoryPython;
  const { sink, platform } = await imagePlatform(manager, options);
  const { images } = await settings();
  const base =
    baseImage ??
    (pyspark === undefined ? pythonBase(images, pythonMinor) : pysparkBase(images, { pythonMinor, pyspark }));
  const host = hostPlatform();
  return imagePython({ sink, base, pythonMinor, pyspark, platform, host, cacheDirectory }, options);
}
