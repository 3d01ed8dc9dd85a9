import { type CallOptions, type ImageBase, type ImageConfig, ManagerError } from "@clipper-serving/spec";
import { sha256Of } from "../image-config.js";
import type { ImageReference } from "./image-reference.js";
import { ACCEPTED, type Descriptor, isIndex, type Manifest } from "./media-types.js";
import type { RegistryAnswer, RegistryClient } from "./registry-client.js";
import { corruptError } from "./registry-errors.js";

/** An image as a registry has it. */
export interface RemoteImage {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly manifest: Manifest;
  readonly base: ImageBase;
}

export interface RemoteImageRequest {
  readonly client: RegistryClient;
  readonly reference: ImageReference;
  /** As it was asked for. */
  readonly ref: string;
  readonly platform: string;
}

/** @throws ManagerError `IMAGE_NOT_FOUND`, also where it is there for other platforms only */
export async function readRemoteImage(request: RemoteImageRequest, call: CallOptions): Promise<RemoteImage> {
  const { client, reference, ref } = request;
  const { repository } = reference;
  const manifest = await readManifest(request, call);
  const config = await readConfig(client, repository, manifest.config, call);
  const platform = [config.os, config.architecture, config.variant].filter(Boolean).join("/");
  if (!isSamePlatform(platform, request.platform)) throw otherPlatform(request, [platform]);
  return {
    client,
    repository,
    manifest,
    base: { ref, platform, diffIds: config.rootfs.diff_ids, config: imageConfigOf(config) },
  };
}

async function readManifest(request: RemoteImageRequest, call: CallOptions): Promise<Manifest> {
  const { reference } = request;
  const found = await getManifest(request, reference.digest ?? reference.tag ?? "latest", call);
  if (!("manifests" in found)) return found;
  const { manifests } = found;
  const chosen = manifests.find(({ platform }) => isSamePlatform(platformText(platform), request.platform));
  if (chosen === undefined)
    throw otherPlatform(
      request,
      manifests.map(({ platform }) => platformText(platform)),
    );
  const one = await getManifest(request, chosen.digest, call);
  if ("manifests" in one) throw notAnImage(request, one.mediaType);
  return one;
}

interface Index {
  readonly mediaType: string;
  readonly manifests: readonly IndexEntry[];
}

interface IndexEntry extends Descriptor {
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
}

async function getManifest(
  request: RemoteImageRequest,
  name: string,
  call: CallOptions,
): Promise<Manifest | Index> {
  const { client, reference, ref } = request;
  const { repository } = reference;
  const doing = `give the image ${ref}`;
  const found = await client.request(
    {
      method: "GET",
      repository,
      to: `manifests/${name}`,
      access: "pull",
      doing,
      headers: { accept: ACCEPTED },
    },
    call,
  );
  if (name.startsWith("sha256:") && sha256Of(found.bytes) !== name) {
    throw corruptError({ registry: client.registry, repository, doing }, { digest: name });
  }
  const content = parsed(found.bytes);
  // It says itself what it is; a store of files in between knows no more than that it is JSON.
  const mediaType = content?.mediaType ?? headerType(found);
  if (isIndex(mediaType) && Array.isArray(content?.manifests)) {
    return { mediaType, manifests: content.manifests };
  }
  if (content?.config === undefined || !Array.isArray(content.layers)) throw notAnImage(request, mediaType);
  return { ...(content as Manifest), mediaType };
}

function parsed(bytes: Uint8Array): Partial<Manifest & Index> | undefined {
  try {
    return (JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<Manifest & Index> | null) ?? undefined;
  } catch {
    // Told as what it is not.
    return undefined;
  }
}

function headerType({ headers }: RegistryAnswer): string {
  return (headers.get("content-type") ?? "").split(";")[0] ?? "";
}

/** What is read of an image's configuration. */
interface ConfigFile {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly config?: {
    readonly Env?: readonly string[] | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly User?: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
}

async function readConfig(
  client: RegistryClient,
  repository: string,
  { digest }: Descriptor,
  call: CallOptions,
): Promise<ConfigFile> {
  const text = await client.repeating(async () => {
    const parts: Uint8Array[] = [];
    for await (const part of client.blob(repository, digest, call)) parts.push(part);
    return Buffer.concat(parts).toString("utf8");
  }, call);
  return JSON.parse(text) as ConfigFile;
}

function imageConfigOf({ config = {} }: ConfigFile): ImageConfig {
  const env = (config.Env ?? []).map((line) => {
    const [name = "", ...value] = line.split("=");
    return [name, value.join("=")];
  });
  return {
    env: Object.fromEntries(env) as Record<string, string>,
    entrypoint: config.Entrypoint ?? [],
    command: config.Cmd ?? [],
    workingDirectory: config.WorkingDir ?? "",
    user: config.User ?? "",
    labels: config.Labels ?? {},
  };
}

function notAnImage({ client, ref }: RemoteImageRequest, mediaType: string): ManagerError {
  return new ManagerError({
    manager: "registry",
    code: "REGISTRY_FAILED",
    message: `${ref} is no image that another can be made on: ${client.registry} has it as ${mediaType || "nothing it tells"}`,
    hint: "name an image as Docker 1.10 and later pushes it",
    facts: { registry: client.registry, ref, mediaType },
  });
}

function otherPlatform(
  { client, ref, platform }: RemoteImageRequest,
  there: readonly string[],
): ManagerError {
  const known = there.filter((name) => name !== "" && !name.startsWith("unknown"));
  return new ManagerError({
    manager: "registry",
    code: "IMAGE_NOT_FOUND",
    message: `${ref} is not there for ${platform}, but for ${known.join(", ")}`,
    hint: "use a base image for the platform of the cluster",
    facts: { registry: client.registry, ref, platform, there: known },
  });
}

function platformText({
  os = "",
  architecture = "",
  variant,
}: NonNullable<IndexEntry["platform"]> = {}): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}

/** A platform without a variant takes any: `linux/arm64` is `linux/arm64/v8`. */
function isSamePlatform(found: string, wanted: string): boolean {
  return found === wanted || found.startsWith(`${wanted}/`) || wanted.startsWith(`${found}/`);
}
