import {
  checkPythonBase,
  inspectPythonBase,
  plannedRole,
  planRuntimeLayer,
} from "@clipper-serving/image-builder";
import {
  type CallOptions,
  type ClusterView,
  type ContainerManager,
  type ImageRef,
  type ImageSink,
  InvalidArgumentError,
  ManagerError,
  MODEL_LABEL,
  NotFoundError,
  type ScratchDirectory,
  type StoredImage,
  VERSION_LABEL,
} from "@clipper-serving/spec";
import type { ResolvedClusterSettings } from "./cluster-settings.js";
import { imagePlatform } from "./frontend-programs.js";
import { putFrontendImage } from "./image-composition.js";
import { type ImageNames, mergeImageNames, pythonBase, redisImage } from "./image-names.js";

/** What a cluster needs of images before its first start or deploy. */
export interface BuildImagesRequest {
  /** Minor versions of Python to have the base of: `["3.11"]`. Default: none. */
  readonly pythons?: readonly string[];
  /** To build on, each in place of the one that the cluster remembers. */
  readonly images?: ImageNames;
}

export interface BuiltImages {
  /** The image of both frontends. */
  readonly frontend: ImageRef;
  /** Bases that are there now, and fit. */
  readonly pythons: readonly PythonBaseReport[];
  /** Of the Redis that the cluster runs itself, where it does: there now. */
  readonly redis?: string;
}

export interface PythonBaseReport {
  readonly python: string;
  readonly base: string;
  readonly platform: string;
  /** In the base: `/usr/bin/python3.11`. */
  readonly interpreter: string;
}

/** `frontend`: of both frontends · `model`: of a version · `layers`: kept between deploys, where an engine takes no single layers. */
export type ImageRole = "frontend" | "model" | "layers";

export interface ClusterImage extends ImageRef {
  readonly role: ImageRole;
  readonly bytes: number;
  readonly putAtMs?: number;
  /** Empty: nobody's. */
  readonly usedBy: readonly ClusterImageUse[];
}

export interface ClusterImageUse {
  readonly cluster: string;
  /** Of a model's image. */
  readonly model?: string;
  readonly version?: string;
  /** Of a version of the connected cluster: whether it is the current one, or kept beside it. */
  readonly state?: "current" | "kept";
}

export interface PushImageRequest {
  /** With its registry: `registry.example/team/clipper:1`. Without a tag: the image's own. */
  readonly to: string;
  /** A model's image in place of the frontends'. */
  readonly model?: string;
  /** Default: the model's current version. */
  readonly version?: string;
}

export interface PruneImagesRequest {
  /** Spares what was made within this time, ms: it may be of a deploy under way. Default 600,000. */
  readonly minAgeMs?: number;
}

export interface PrunedImages {
  readonly removed: readonly ClusterImage[];
  /** Nobody's, and there all the same: too young, or of a container that is no cluster's. */
  readonly spared: readonly ClusterImage[];
}

interface ClusterImagesParts {
  readonly manager: ContainerManager;
  /** Where digests of layers are kept. */
  readonly cacheDirectory: string;
  readonly makeScratch: () => Promise<ScratchDirectory>;
  readonly settings: () => Promise<ResolvedClusterSettings>;
  /** The connected cluster's records; undefined while there is no connection. */
  readonly view: (signal: AbortSignal | undefined) => Promise<ClusterView | undefined>;
}

const YOUNG_MS = 600_000;

/** The images of clusters where programs are images. Needs no cluster that runs; `UnsupportedError` where programs are directories. */
export class ClusterImages {
  readonly #parts: ClusterImagesParts;

  constructor(parts: ClusterImagesParts) {
    this.#parts = parts;
  }

  /**
   * Makes ahead of time what the cluster would make at its first start, and has the bases there that its deploys lie on.
   * @throws ImageError `PYTHON_MISMATCH`, `PLATFORM_MISMATCH`, ManagerError `IMAGE_NOT_FOUND`, …
   */
  async build(
    { pythons = [], images: given = {} }: BuildImagesRequest = {},
    options: CallOptions = {},
  ): Promise<BuiltImages> {
    for (const python of pythons) checkMinor(python);
    const { sink, platform } = await imagePlatform(this.#parts.manager, options);
    const { images: known, state } = await this.#parts.settings();
    const images = mergeImageNames(known, given);
    const reports: PythonBaseReport[] = [];
    for (const pythonMinor of pythons) {
      const ref = pythonBase(images, pythonMinor);
      const base = await inspectPythonBase({ sink, ref, platform }, options);
      checkPythonBase(base, { pythonMinor, platform });
      await planRuntimeLayer(base.accounts, options);
      const report = { python: pythonMinor, base: ref, platform: base.image.platform };
      reports.push({ ...report, interpreter: base.python.path });
    }
    const needsRedis = given.redis !== undefined || state?.redis.managed === true;
    if (needsRedis) await sink.base(redisImage(images), { ...options, platform });
    return {
      frontend: await putFrontendImage({ sink, images, platform }, options),
      pythons: reports,
      ...(needsRedis ? { redis: redisImage(images) } : {}),
    };
  }

  /** Every image that was made here, whichever cluster it was made for. */
  async list(options: CallOptions = {}): Promise<readonly ClusterImage[]> {
    const { list } = await this.#store(options);
    const [stored, view] = await Promise.all([list(options), this.#parts.view(options.signal)]);
    return stored.map((image) => clusterImage(image, view));
  }

  /**
   * Copies the frontends' image, or a model's, to a registry with the user's own credentials there. The frontends' is made when it is absent.
   * @throws NotFoundError for a version that has no image of ours; ManagerError `IMAGE_PUSH_DENIED`, …
   */
  async push({ to, model, version }: PushImageRequest, options: CallOptions = {}): Promise<ImageRef> {
    if (version !== undefined && model === undefined) {
      throw new InvalidArgumentError({ argument: "version", value: version, expected: "given with a model" });
    }
    const { push } = await this.#store(options);
    const ref =
      model === undefined
        ? (await this.build({}, options)).frontend.ref
        : await this.#versionImage(model, version, options);
    const name = hasTag(to) ? to : `${to}:${ref.slice(ref.lastIndexOf(":") + 1)}`;
    // Of this process, so that the next one removes what a killed push has left.
    await using scratch = await this.#parts.makeScratch();
    const { cacheDirectory } = this.#parts;
    return await push(ref, name, { ...options, cacheDirectory, scratchDirectory: scratch.directory });
  }

  /** Removes images that nobody uses: neither a cluster that runs, nor one that is stopped, nor any container. */
  async prune(
    { minAgeMs = YOUNG_MS }: PruneImagesRequest = {},
    options: CallOptions = {},
  ): Promise<PrunedImages> {
    if (!Number.isSafeInteger(minAgeMs) || minAgeMs < 0) {
      throw new InvalidArgumentError({
        argument: "minAgeMs",
        value: minAgeMs,
        expected: "whole milliseconds",
      });
    }
    const { remove } = await this.#store(options);
    const removed: ClusterImage[] = [];
    const spared: ClusterImage[] = [];
    const before = Date.now() - minAgeMs;
    for (const image of await this.list(options)) {
      if (image.usedBy.length > 0) continue;
      const isOld = (image.putAtMs ?? 0) <= before;
      const isGone = isOld && (await remove(image.ref, options));
      (isGone ? removed : spared).push(image);
      const message = isGone
        ? `removed ${image.ref}`
        : `${image.ref} stays: ${isOld ? "it is in use" : "young"}`;
      options.onProgress?.({ step: "image-remove", state: isGone ? "done" : "skipped", message });
    }
    return { removed, spared };
  }

  async #versionImage(model: string, wanted: string | undefined, { signal }: CallOptions): Promise<string> {
    const view = await this.#parts.view(signal);
    const version = wanted ?? view?.models.find(({ name }) => name === model)?.currentVersion;
    const record = view?.versions.find((each) => each.model === model && each.version === version);
    const workload = view?.workloads.find(({ id }) => id === record?.workload);
    if (workload?.spec.program.kind === "image") return workload.spec.program.ref;
    throw new NotFoundError({
      kind: "version",
      name: `${model}:${version ?? "current"}`,
      message: `${model}:${version ?? "current"} has no image in this cluster`,
      hint: "`clipper model list` shows the versions there are",
    });
  }

  async #store(options: CallOptions): Promise<Required<Pick<ImageSink, "list" | "remove" | "push">>> {
    const { manager } = this.#parts;
    const { sink } = await imagePlatform(manager, options);
    const { list, remove, push } = sink;
    if (list !== undefined && remove !== undefined && push !== undefined) {
      return { list: list.bind(sink), remove: remove.bind(sink), push: push.bind(sink) };
    }
    throw new ManagerError({
      manager: manager.name,
      code: "UNSUPPORTED",
      message: `${sink.name}, where the ${manager.name} manager puts images, cannot list, push or remove them`,
      hint: "use the tools of the place itself",
    });
  }
}

function clusterImage(
  { ref, digest, bytes, labels, putAtMs, usedBy }: StoredImage,
  view: ClusterView | undefined,
): ClusterImage {
  return {
    ref,
    digest,
    role: plannedRole(ref, labels) ?? "layers",
    bytes,
    ...(putAtMs === undefined ? {} : { putAtMs }),
    usedBy: distinct(usedBy.map((use) => clusterUse(use, view))),
  };
}

function clusterUse(
  { cluster, labels }: StoredImage["usedBy"][number],
  view: ClusterView | undefined,
): ClusterImageUse {
  const { [MODEL_LABEL]: model, [VERSION_LABEL]: version } = labels;
  if (model === undefined || version === undefined) return { cluster };
  if (view?.cluster !== cluster) return { cluster, model, version };
  const current = view.models.find(({ name }) => name === model)?.currentVersion;
  return { cluster, model, version, state: current === version ? "current" : "kept" };
}

/** Both frontends use one image. */
function distinct(uses: readonly ClusterImageUse[]): readonly ClusterImageUse[] {
  return [...new Map(uses.map((use) => [JSON.stringify(use), use])).values()];
}

function checkMinor(python: string): void {
  if (/^3\.\d+$/.test(python)) return;
  throw new InvalidArgumentError({
    argument: "pythons",
    value: python,
    expected: "minor versions, such as 3.11",
  });
}

function hasTag(name: string): boolean {
  return name.lastIndexOf(":") > name.lastIndexOf("/");
}
