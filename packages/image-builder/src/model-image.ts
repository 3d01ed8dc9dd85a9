import path from "node:path";
import type { CallOptions, ImageConfig, ImagePlan } from "@clipper-serving/spec";
import { imageDigest } from "./image-config.js";
import { JsonCache } from "./json-cache.js";
import { type BundleSource, bundleLayers } from "./layers/bundle-layers.js";
import { environmentLayer } from "./layers/environment-layer.js";
import { runtimeLayer } from "./layers/runtime-layer.js";
import { BUNDLE_PLACE, ENVIRONMENT_PLACE, USER } from "./places.js";
import { checkPythonBase, type PythonBase } from "./python-base.js";

export interface ModelImageRequest {
  readonly base: PythonBase;
  readonly runtime: {
    /** The directory that holds the package `clipper_runtime`: `pythonPath` of `@clipper-serving/container-runtime`. */
    readonly pythonPath: string;
  };
  readonly environment: {
    /** A virtual environment made on this machine from the bundle's lock. */
    readonly directory: string;
    /** What its packages run on: `linux/amd64`. */
    readonly platform: string;
  };
  readonly bundle: BundleSource;
  /** Where digests and compiled files are kept between runs; made when absent. */
  readonly cacheDirectory: string;
  /** Whether what is installed in the base can be imported too; the environment comes first. Default true. */
  readonly basePackages?: boolean;
  /** Whether Python sources are compiled beforehand, by the environment's own interpreter. Default true. */
  readonly bytecode?: boolean;
  /** Variables for the function. Never a secret: anyone who has the image can read them. */
  readonly env?: Readonly<Record<string, string>>;
  /** The first part of the image's name. Default `clipper`. */
  readonly repository?: string;
}

/**
 * The image of one model version: base · runtime · environment · model · modules · function, each layer a function of its own inputs, so that a
 * changed function moves its own kilobytes only. Its name holds the version and the start of the digest: `clipper/digits:1-0f3a…`.
 * @throws ImageError, before any layer is made where the base does not fit
 */
export async function planModelImage(request: ModelImageRequest, call: CallOptions = {}): Promise<ImagePlan> {
  const { base, runtime, environment, bundle, cacheDirectory } = request;
  const { manifest } = bundle;
  checkPythonBase(base, { pythonMinor: manifest.pythonMinor, platform: environment.platform });
  const bytecode =
    request.bytecode === false
      ? undefined
      : {
          python: path.join(environment.directory, "bin", "python"),
          cacheDirectory: path.join(cacheDirectory, "bytecode"),
        };
  call.onProgress?.({ step: "image-assemble", state: "started", message: "assembling the image's layers" });
  const layers = [
    await runtimeLayer({ pythonPath: runtime.pythonPath, accounts: base.accounts, bytecode }, call),
    await environmentLayer(
      {
        directory: environment.directory,
        lockDigest: manifest.environmentDigest,
        python: base.python,
        basePackages: request.basePackages ?? true,
        cache: new JsonCache(path.join(cacheDirectory, "layers")),
        bytecode,
      },
      call,
    ),
    ...(await bundleLayers(bundle, call)),
  ];
  const content = { base: base.image, layers, config: modelConfig(request) };
  const name = `${request.repository ?? "clipper"}/${manifest.model}`;
  const tag = `${manifest.version}-${shortDigest(content)}`;
  const bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
  call.onProgress?.({
    step: "image-assemble",
    state: "done",
    message: `${name}:${tag} has ${layers.length} layers over its base`,
    facts: { bytes },
  });
  return { ...content, tags: [`${name}:${tag}`] };
}

function modelConfig({ base, bundle, env }: ModelImageRequest): ImageConfig {
  const known = base.image.config;
  return {
    env: {
      ...known.env,
      PATH: `/${ENVIRONMENT_PLACE}/bin:${known.env.PATH ?? "/usr/local/bin:/usr/bin:/bin"}`,
      HOME: USER.home,
      USER: USER.name,
      PYTHONUNBUFFERED: "1",
      PYTHONDONTWRITEBYTECODE: "1",
      CLIPPER_BUNDLE: `/${BUNDLE_PLACE}`,
      ...env,
    },
    entrypoint: [`/${ENVIRONMENT_PLACE}/bin/python`, "-m", "clipper_runtime.replica"],
    command: [],
    workingDirectory: "/",
    user: `${USER.id}:${USER.id}`,
    labels: {
      ...known.labels,
      "clipper.model": bundle.manifest.model,
      "clipper.version": bundle.manifest.version,
      "clipper.bundle": bundle.digest,
      "clipper.python": base.python.minor,
    },
  };
}

/** Enough of it to tell images of one name apart. */
export function shortDigest(content: Omit<ImagePlan, "tags">): string {
  return imageDigest(content).slice("sha256:".length).slice(0, 12);
}
