import path from "node:path";
import {
  type CallOptions,
  ConflictError,
  type ImageBase,
  type ImageFile,
  type ImageLayer,
  type ImagePlan,
  type ImageRef,
  type ImageSink,
} from "@clipper-serving/spec";
import { imageConfigBytes, imageDigest, sha256Of } from "../image-config.js";
import { JsonCache } from "../json-cache.js";
import type { SavedImage } from "../saved-image.js";
import {
  type Blob,
  copyBlob,
  type Destination,
  hasBlob,
  putBytes,
  putLayer,
  putManifest,
} from "./blob-upload.js";
import type { CredentialsFor } from "./credentials.js";
import { ImageFiles } from "./image-files.js";
import { type ImageReference, parseImageReference } from "./image-reference.js";
import { ACCEPTED, type Descriptor, dialectOf, OCI } from "./media-types.js";
import { RegistryClient } from "./registry-client.js";
import { type RemoteImage, readRemoteImage } from "./remote-image.js";

export interface RegistrySinkOptions {
  /** Host and port of the registry that images are put into: `registry.example:5000`. */
  readonly registry: string;
  /** Where digests and listings are kept between runs; made when absent. */
  readonly cacheDirectory: string;
  /** For the registry that images are put into, and those that bases come from. Default: as anybody. */
  readonly credentials?: CredentialsFor;
  /** Registries that are spoken to without TLS, besides those on loopback: host and port. */
  readonly plainHttp?: readonly string[];
  /** Which of a base's platforms, where the call does not say. Default `linux/amd64`. */
  readonly platform?: string;
  /** Longest time without a byte in either direction, ms. Default 60,000. */
  readonly stallTimeoutMs?: number;
  /** How often what may be repeated is tried. Default 3. */
  readonly attempts?: number;
  /** Before the second attempt, ms; doubles. Default 250. */
  readonly retryDelayMs?: number;
}

const DOCKER_HUB = "docker.io";
const DOCKER_HUB_HOST = "registry-1.docker.io";

/**
 * Puts images into a registry: only blobs that it lacks, those of a base in the same registry without moving them. Nothing else is
 * needed, no engine and no program.
 *
 * A name without a registry is one of this registry's own, except that of a base, which is Docker Hub's as everywhere.
 */
export function createRegistrySink(options: RegistrySinkOptions): RegistrySink {
  return new OwnRegistrySink(options);
}

export interface RegistrySink extends ImageSink {
  /** Puts an image there as it is, so that it keeps its digest. Layers that are there already are not sent. */
  copy(image: SavedImage, to: string, options?: CallOptions): Promise<ImageRef>;
}

class OwnRegistrySink implements RegistrySink {
  readonly #options: Required<RegistrySinkOptions>;
  readonly #clients = new Map<string, RegistryClient>();
  readonly #files: ImageFiles;
  readonly #blobs: JsonCache<Blob>;

  constructor(options: RegistrySinkOptions) {
    this.#options = {
      credentials: async () => undefined,
      plainHttp: [],
      platform: "linux/amd64",
      stallTimeoutMs: 60_000,
      attempts: 3,
      retryDelayMs: 250,
      ...options,
    };
    this.#files = new ImageFiles(new JsonCache(path.join(options.cacheDirectory, "listings")));
    this.#blobs = new JsonCache(path.join(options.cacheDirectory, "blobs"));
  }

  get name(): string {
    return `registry ${this.#options.registry}`;
  }

  async has(ref: string, options: CallOptions = {}): Promise<boolean> {
    const {
      registry = this.#options.registry,
      repository,
      tag = "latest",
      digest,
    } = parseImageReference(ref);
    const { status } = await this.#client(registry).request(
      {
        method: "HEAD",
        repository,
        to: `manifests/${digest ?? tag}`,
        access: "pull",
        doing: `say whether it has ${ref}`,
        headers: { accept: ACCEPTED },
        accepts: [404],
      },
      options,
    );
    return status !== 404;
  }

  async base(ref: string, options: CallOptions & { readonly platform?: string } = {}): Promise<ImageBase> {
    const { base } = await this.#remote(ref, options.platform ?? this.#options.platform, options);
    return base;
  }

  async files(
    base: ImageBase,
    paths: readonly string[],
    options: CallOptions = {},
  ): Promise<ReadonlyMap<string, ImageFile>> {
    return this.#files.find(await this.#unchanged(base, options), paths, options);
  }

  async put(plan: ImagePlan, options: CallOptions = {}): Promise<ImageRef> {
    const digest = imageDigest(plan);
    const names = this.#names(plan, digest);
    const [{ ref }] = names;
    const started = { step: "image-push", message: `pushing ${ref}` };
    options.onProgress?.({ ...started, state: "started" });
    const base = plan.base.diffIds.length === 0 ? undefined : await this.#unchanged(plan.base, options);
    let manifestDigest = "";
    for (const places of Map.groupBy(names, placeOf).values()) {
      manifestDigest = await this.#putInto(places, { plan, base }, options);
    }
    options.onProgress?.({ ...started, state: "done", facts: { digest } });
    return { ref, digest, manifestDigest };
  }

  async copy({ config, layers }: SavedImage, to: string, options: CallOptions = {}): Promise<ImageRef> {
    const digest = sha256Of(config);
    const [{ registry, repository, tag = "latest", ref }] = this.#named([to]);
    const started = { step: "image-push", message: `pushing ${ref}` };
    options.onProgress?.({ ...started, state: "started" });
    const destination = { client: this.#client(registry), repository };
    const image = { below: [], layers, config, dialect: OCI };
    const manifest = await this.#putParts(destination, image, options);
    await putManifest(destination, { ...manifest, tag, ref }, options);
    options.onProgress?.({ ...started, state: "done", facts: { digest } });
    return { ref, digest, manifestDigest: sha256Of(manifest.bytes) };
  }

  /** Everything that has names in one repository, its manifest last: an image is there wholly or not at all. */
  async #putInto(
    names: readonly Named[],
    { plan, base }: { plan: ImagePlan; base: RemoteImage | undefined },
    call: CallOptions,
  ): Promise<string> {
    const [{ registry, repository, ref }] = names as readonly [Named];
    const destination = { client: this.#client(registry), repository };
    const dialect = base === undefined ? OCI : dialectOf(base.manifest.mediaType);
    if (base !== undefined) await this.#putBase(destination, base, call);
    const below = base?.manifest.layers ?? [];
    const image = { below, layers: plan.layers, config: imageConfigBytes(plan), dialect };
    const manifest = await this.#putParts(destination, image, call);
    for (const { tag = "latest" } of names) await putManifest(destination, { ...manifest, tag, ref }, call);
    return sha256Of(manifest.bytes);
  }

  async #putParts(
    destination: Destination,
    image: SavedImage & { readonly below: readonly Descriptor[]; readonly dialect: typeof OCI },
    call: CallOptions,
  ): Promise<{ readonly mediaType: string; readonly bytes: Uint8Array }> {
    const { dialect } = image;
    const layers: Descriptor[] = [...image.below];
    for (const layer of image.layers) {
      layers.push({ mediaType: dialect.layer, ...(await this.#putLayer(destination, layer, call)) });
    }
    const config = { mediaType: dialect.config, ...(await putBytes(destination, image.config, call)) };
    const text = JSON.stringify({ schemaVersion: 2, mediaType: dialect.manifest, config, layers });
    return { mediaType: dialect.manifest, bytes: new TextEncoder().encode(text) };
  }

  /** What an image is called here: each of its tags, in this registry unless it names another; without any, by its digest. */
  #names(plan: ImagePlan, digest: string): [Named, ...Named[]] {
    return this.#named(
      plan.tags.length > 0 ? plan.tags : [`clipper/image:${digest.slice("sha256:".length)}`],
    );
  }

  #named(names: readonly string[]): [Named, ...Named[]] {
    return names.map((name) => {
      const { registry = this.#options.registry, ...rest } = parseImageReference(name);
      return { ...rest, registry, ref: `${registry}/${rest.repository}:${rest.tag ?? "latest"}` };
    }) as [Named, ...Named[]];
  }

  async #putBase(destination: Destination, base: RemoteImage, call: CallOptions): Promise<void> {
    const { client, repository, manifest } = base;
    if (client === destination.client && repository === destination.repository) return;
    for (const { digest, size } of manifest.layers) {
      if (await hasBlob(destination, digest, call)) continue;
      await copyBlob(destination, { from: { client, repository }, digest, size }, call);
    }
  }

  async #putLayer(destination: Destination, layer: ImageLayer, call: CallOptions): Promise<Blob> {
    const known = await this.#blobs.get(layer.diffId);
    if (known !== undefined && (await hasBlob(destination, known.digest, call))) {
      call.onProgress?.({
        step: "image-push",
        state: "skipped",
        message: `the ${layer.purpose} layer is there already`,
        facts: { purpose: layer.purpose, bytes: known.size },
      });
      return known;
    }
    const blob = await putLayer(destination, layer, call);
    await this.#blobs.put(layer.diffId, blob);
    return blob;
  }

  /** The base as it is now, if that is what a plan was made on: a tag may have moved since. */
  async #unchanged(base: ImageBase, call: CallOptions): Promise<RemoteImage> {
    const found = await this.#remote(base.ref, base.platform, call);
    if (found.base.diffIds.join() === base.diffIds.join()) return found;
    throw new ConflictError({
      code: "BASE_CHANGED",
      message: `${base.ref} is another image than when it was looked at`,
      hint: "deploy again, or name the base by its digest",
      facts: { base: base.ref },
    });
  }

  #remote(ref: string, platform: string, call: CallOptions): Promise<RemoteImage> {
    const reference = parseImageReference(ref);
    const { registry = DOCKER_HUB, repository } = reference;
    const isHubs = registry === DOCKER_HUB;
    const named: ImageReference =
      isHubs && !repository.includes("/") ? { ...reference, repository: `library/${repository}` } : reference;
    return readRemoteImage({ client: this.#client(registry), reference: named, ref, platform }, call);
  }

  #client(registry: string): RegistryClient {
    const host = registry === DOCKER_HUB ? DOCKER_HUB_HOST : registry;
    const known = this.#clients.get(host);
    if (known !== undefined) return known;
    const { credentials, plainHttp, stallTimeoutMs, attempts, retryDelayMs } = this.#options;
    const client = new RegistryClient({
      registry: host,
      // They are kept under the name people know.
      credentials: () => credentials(registry),
      plainHttp: isLoopback(host) || plainHttp.includes(host),
      stallTimeoutMs,
      attempts,
      retryDelayMs,
    });
    this.#clients.set(host, client);
    return client;
  }
}

function placeOf({ registry, repository }: Named): string {
  return `${registry}/${repository}`;
}

interface Named extends ImageReference {
  readonly registry: string;
  /** As a platform pulls it. */
  readonly ref: string;
}

function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return name === "localhost" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}
