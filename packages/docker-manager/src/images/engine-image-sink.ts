import { imageDigest } from "@clipper-serving/image-builder";
import {
  type CallOptions,
  type ImageBase,
  type ImageFile,
  type ImagePlan,
  type ImageRef,
  type ImageSink,
  rejectOnAbort,
  type StoredImage,
} from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import type { InspectedImage } from "../engine/images.js";
import { commitImage } from "./commit-image.js";
import { imageBase, isForPlatform, platformOf } from "./image-config.js";
import { imageFiles } from "./image-files.js";
import { parseImageName } from "./image-name.js";
import { loadImage } from "./load-image.js";
import { ownImages, removeOwnImage } from "./own-images.js";
import { notFound, pullImage } from "./pull-image.js";
import { pushImage } from "./push-image.js";

export interface EngineImageSinkOptions {
  readonly connect: () => Promise<Engine>;
  readonly pull: "missing" | "never";
  readonly stallTimeoutMs: number;
  /** `layers`: only those that are missing are sent; `commit`: for engines that want all. Default: as the engine can. */
  readonly way?: "layers" | "commit";
}

/** An engine's own store of images. */
export class EngineImageSink implements ImageSink {
  readonly name = "docker engine";
  readonly #options: EngineImageSinkOptions;

  constructor(options: EngineImageSinkOptions) {
    this.#options = options;
  }

  has(ref: string, { signal }: CallOptions = {}): Promise<boolean> {
    return rejectOnAbort(signal, async () => {
      const engine = await this.#options.connect();
      return (await engine.images.inspect(ref)) !== undefined;
    });
  }

  base(ref: string, options: CallOptions & { readonly platform?: string } = {}): Promise<ImageBase> {
    return rejectOnAbort(options.signal, async () => imageBase(ref, await this.#find(ref, options)));
  }

  files(
    base: ImageBase,
    paths: readonly string[],
    { signal }: CallOptions = {},
  ): Promise<ReadonlyMap<string, ImageFile>> {
    return rejectOnAbort(signal, async () => imageFiles(await this.#options.connect(), base.ref, paths));
  }

  put(plan: ImagePlan, options: CallOptions = {}): Promise<ImageRef> {
    return rejectOnAbort(options.signal, async () => {
      const engine = await this.#options.connect();
      const digest = imageDigest(plan);
      const known = (await engine.images.inspect(digest)) !== undefined;
      if (known) {
        options.onProgress?.({
          step: "image-load",
          state: "skipped",
          message: `the engine has ${plan.tags[0] ?? digest}`,
        });
      }
      const id = known ? digest : await this.#bring(engine, plan, options);
      // A load may have given the first of them only, or another image may have had one.
      await Promise.all(plan.tags.map((tag) => engine.images.tag(id, parseImageName(tag))));
      return { ref: plan.tags[0] ?? id, digest: id };
    });
  }

  list({ signal }: CallOptions = {}): Promise<readonly StoredImage[]> {
    return rejectOnAbort(signal, async () => ownImages(await this.#options.connect()));
  }

  remove(ref: string, { signal }: CallOptions = {}): Promise<boolean> {
    return rejectOnAbort(signal, async () => removeOwnImage(await this.#options.connect(), ref));
  }

  push(
    ref: string,
    to: string,
    options: CallOptions & { readonly cacheDirectory?: string; readonly scratchDirectory?: string } = {},
  ): Promise<ImageRef> {
    const { connect, stallTimeoutMs } = this.#options;
    return rejectOnAbort(options.signal, async () =>
      pushImage(await connect(), { ref, to }, { ...options, stallTimeoutMs }),
    );
  }

  async #bring(engine: Engine, plan: ImagePlan, options: CallOptions): Promise<string> {
    await this.#checkBase(plan.base, options);
    const way = this.#options.way ?? (await wayOf(engine));
    const limits = { ...options, stallTimeoutMs: this.#options.stallTimeoutMs };
    return way === "commit" ? await commitImage(engine, plan, limits) : await loadImage(engine, plan, limits);
  }

  /** The engine has to have what an image is put on. */
  async #checkBase(base: ImageBase, options: CallOptions): Promise<void> {
    if (base.diffIds.length === 0) return;
    const { RootFS } = await this.#find(base.ref, { ...options, platform: base.platform });
    if (RootFS.Layers?.join() === base.diffIds.join()) return;
    throw new EngineError({
      code: "IMAGE_MISMATCH",
      message: `${base.ref} is another image on this engine than the one that was planned on`,
      hint: "deploy again: the base has changed meanwhile",
      facts: { image: base.ref },
    });
  }

  async #find(ref: string, options: CallOptions & { readonly platform?: string }): Promise<InspectedImage> {
    const { pull, stallTimeoutMs, connect } = this.#options;
    const engine = await connect();
    const isRight = (image: InspectedImage | undefined): image is InspectedImage =>
      image !== undefined && (options.platform === undefined || isForPlatform(image, options.platform));
    const found = await engine.images.inspect(ref);
    if (isRight(found)) return found;
    if (pull === "never") throw notFound(ref);
    const pulled = await pullImage(engine, ref, { ...options, stallTimeoutMs });
    if (isRight(pulled)) return pulled;
    throw new EngineError({
      code: "IMAGE_NOT_FOUND",
      message: `${ref} is for ${platformOf(pulled)}, and ${options.platform} is needed`,
      hint: `name an image that is there for ${options.platform}`,
      facts: { image: ref, platform: platformOf(pulled) },
    });
  }
}

/** @see docs of the classic image store: only that one puts layers together by their diffIds */
async function wayOf(engine: Engine): Promise<"layers" | "commit"> {
  if (engine.version.product === "podman") return "commit";
  const { DriverStatus } = await engine.info();
  const isContainerd = (DriverStatus ?? []).some(([, value = ""]) =>
    value.startsWith("io.containerd.snapshotter"),
  );
  return isContainerd ? "commit" : "layers";
}
