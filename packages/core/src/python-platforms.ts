import path from "node:path";
import {
  checkPythonBase,
  findBaseJava,
  inspectPythonBase,
  planModelImage,
} from "@clipper-serving/image-builder";
import type { ImageSink, PythonPlatform, PythonPlatformRequest } from "@clipper-serving/spec";

/** Plain processes run a bundle in its environment where both lie. */
export const directoryPython: PythonPlatform = {
  async program({ bundle, environment, pythonPath }) {
    return {
      program: { kind: "directory", path: bundle.directory },
      command: [path.join(environment, "bin", "python"), "-m", "clipper_runtime.replica"],
      env: { PYTHONPATH: pythonPath, CLIPPER_BUNDLE: bundle.directory, PYTHONUNBUFFERED: "1" },
    };
  },
};

export interface ImagePythonOptions {
  readonly sink: ImageSink;
  /** Image to build on. */
  readonly base: string;
  readonly pythonMinor: string;
  readonly pyspark: PythonPlatformRequest["pyspark"] | undefined;
  /** Of the images that run there: `linux/amd64`. */
  readonly platform: string;
  /** What environments made on this machine run on, where that is an image's platform. */
  readonly host: string | undefined;
  /** Where digests of layers are kept between deploys. */
  readonly cacheDirectory: string;
}

/**
 * @returns what makes an image of a bundle: its layers over the base, of which only those are sent that the sink lacks
 * @throws ImageError `PYTHON_MISMATCH`, `PLATFORM_MISMATCH`, `LIBC_MISMATCH`, `JAVA_MISSING`, `JAVA_MISMATCH`, ManagerError `IMAGE_NOT_FOUND`
 */
export async function imagePython(
  { sink, base: ref, pythonMinor, pyspark, platform, host, cacheDirectory }: ImagePythonOptions,
  call: Parameters<PythonPlatform["program"]>[1] = {},
): Promise<PythonPlatform> {
  const base = await inspectPythonBase({ sink, ref, platform }, call);
  checkPythonBase(base, { pythonMinor, platform });
  const java =
    pyspark === undefined ? undefined : await findBaseJava({ sink, base }, { pythonMinor, pyspark }, call);
  return {
    ...(platform === host ? {} : { environmentPlatform: platform }),
    async program({ bundle, environment, pythonPath }, options = {}) {
      const plan = await planModelImage(
        {
          base,
          runtime: { pythonPath },
          environment: { directory: environment, platform },
          bundle,
          cacheDirectory,
          ...(java === undefined ? {} : { env: { JAVA_HOME: java.home } }),
        },
        options,
      );
      const { ref: image, digest } = await sink.put(plan, options);
      return { program: { kind: "image", ref: image, digest }, command: [], env: {} };
    },
  };
}
