import type { CallOptions } from "./call-options.js";

/**
 * An image that has been worked out but not yet put anywhere: a base, layers over it, and a configuration. Building one needs no
 * engine; the same inputs give the same digest on every machine.
 */
export interface ImagePlan {
  /** The image the layers lie on, as its owner names it. */
  readonly base: ImageBase;
  /** Lowest first. */
  readonly layers: readonly ImageLayer[];
  readonly config: ImageConfig;
  /** Names to give it, such as `clipper/digits:1`; may be empty. */
  readonly tags: readonly string[];
}

export interface ImageBase {
  readonly ref: string;
  readonly platform: string;
  /** As the engine or registry tells it: the ids of its layers (uncompressed sha256), lowest first, and its configuration. */
  readonly diffIds: readonly string[];
  readonly config: ImageConfig;
}

export interface ImageLayer {
  /** What it holds, for people and caches: `runtime`, `environment`, `modules`, `function`. */
  readonly purpose: string;
  /** sha256 of the uncompressed tar, `sha256:…`. */
  readonly diffId: string;
  readonly bytes: number;
  /** The uncompressed tar; may be called more than once, and gives the same bytes each time. */
  open(): AsyncIterable<Uint8Array>;
}

export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ImageRef {
  readonly ref: string;
  /** sha256 of the configuration, `sha256:…`: what tells two images apart. */
  readonly digest: string;
  /** In a registry: sha256 of the manifest, by which a platform can name exactly this image (`name@sha256:…`). */
  readonly manifestDigest?: string;
}

/** What an image holds at a path. A link is told, not followed. */
export type ImageFile =
  /** The content only of a file of at most 64 KiB. */
  | { readonly kind: "file"; readonly size: number; readonly content?: Uint8Array }
  | { readonly kind: "link"; readonly target: string };

/** An image that was made here, as the sink that it was put into has it now. */
export interface StoredImage extends ImageRef {
  /** What it takes by itself, layers that it shares with others included. */
  readonly bytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** When it was put or named last, ms since 1970, where the sink tells: an image's own date is the same for all. */
  readonly putAtMs?: number;
  /** Empty: nobody's, as far as the sink knows. */
  readonly usedBy: readonly ImageUse[];
}

/** A workload that is started from an image, or will be when its cluster is: one that was stopped keeps its images. */
export interface ImageUse {
  readonly cluster: string;
  readonly workload: string;
  /** Of the workload. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Where images are put: a registry, or an engine's own store. What only some of them can do is absent where it cannot be done.
 */
export interface ImageSink {
  /** For people: `registry 127.0.0.1:5000`, `docker engine`. */
  readonly name: string;
  has(ref: string, options?: CallOptions): Promise<boolean>;
  /** What an image to build on is made of. @throws ManagerError with code `IMAGE_NOT_FOUND` */
  base(ref: string, options?: CallOptions & { readonly platform?: string }): Promise<ImageBase>;
  /**
   * Looks into a base without running it. What is absent, or neither a file nor a link, is left out. Links among the
   * directories on the way need not be followed.
   * @param paths absolute
   */
  files(
    base: ImageBase,
    paths: readonly string[],
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, ImageFile>>;
  /** Sends only what the sink lacks. The image is usable when this resolves, and not there at all when it rejects. */
  put(plan: ImagePlan, options?: CallOptions): Promise<ImageRef>;
  /** Those that `put` made, known by name and labels; never a base, nor what somebody built on one of ours. */
  list?(options?: CallOptions): Promise<readonly StoredImage[]>;
  /**
   * Takes the name from an image that `list` tells, and the image away with its last name.
   * @returns whether it is gone; false for what a workload or a container uses, and for what `list` does not tell
   */
  remove?(ref: string, options?: CallOptions): Promise<boolean>;
  /**
   * Copies an image to a registry as it is, with the user's own credentials there.
   * @param to with its registry: `registry.example/team/digits:1`
   * @param options.cacheDirectory where digests are kept, so that a later push knows what is there already
   * @param options.scratchDirectory where what has to lie somewhere meanwhile lies; the caller's to remove. Default: where temporary files do
   * @throws ManagerError `IMAGE_NOT_FOUND`; InvalidArgumentError for a name without a registry
   */
  push?(
    ref: string,
    to: string,
    options?: CallOptions & { readonly cacheDirectory?: string; readonly scratchDirectory?: string },
  ): Promise<ImageRef>;
}
