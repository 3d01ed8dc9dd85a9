import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { type CallOptions, type ImageLayer, ManagerError } from "@clipper-serving/spec";
import { sha256Of } from "../image-config.js";
import type { RegistryAnswer, RegistryClient } from "./registry-client.js";

/** A repository that blobs are put into. */
export interface Destination {
  readonly client: RegistryClient;
  readonly repository: string;
}

export interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** Fast: twice the bytes per second of the usual level for a few percent more of them. */
const COMPRESSION_LEVEL = 4;
const PROGRESS_BYTES = 1 << 22;
const OS_BYTE = 9;
const UNKNOWN_OS = 255;

export async function hasBlob(
  { client, repository }: Destination,
  digest: string,
  call: CallOptions,
): Promise<boolean> {
  const { status } = await client.request(
    {
      method: "HEAD",
      repository,
      to: `blobs/${digest}`,
      access: "pull,push",
      doing: `say whether it has ${digest}`,
      accepts: [404],
    },
    call,
  );
  return status !== 404;
}

/** Puts bytes in one piece. */
export async function putBytes(
  destination: Destination,
  bytes: Uint8Array,
  call: CallOptions,
): Promise<Blob> {
  const digest = sha256Of(bytes);
  if (!(await hasBlob(destination, digest, call))) {
    await destination.client.repeating(async () => {
      const at = await beginUpload(destination, {}, call);
      await finishUpload(destination, { at: locationOf(at), digest, bytes }, call);
    }, call);
  }
  return { digest, size: bytes.length };
}

/** Compresses a layer and sends it as it goes: its digest is known only when all is sent. */
export function putLayer(destination: Destination, layer: ImageLayer, call: CallOptions): Promise<Blob> {
  return destination.client.repeating(async () => {
    const at = locationOf(await beginUpload(destination, {}, call));
    return sendStream(destination, { at, body: compressed(layer), what: layer.purpose }, call);
  }, call);
}

export interface CopyRequest extends Blob {
  readonly from: Destination;
}

/** Brings a blob over from another repository: without moving it, where both are in one registry that can. */
export function copyBlob(
  destination: Destination,
  { from, digest }: CopyRequest,
  call: CallOptions,
): Promise<void> {
  const isNear = from.client.registry === destination.client.registry;
  return destination.client.repeating(async () => {
    const begun = await beginUpload(
      destination,
      isNear ? { mount: digest, from: from.repository } : {},
      call,
    );
    if (begun.status === 201) return;
    const body = from.client.blob(from.repository, digest, call);
    const sent = await sendStream(destination, { at: locationOf(begun), body, what: "base" }, call);
    if (sent.digest !== digest) throw mixedUp(destination, digest, sent.digest);
  }, call);
}

function beginUpload(
  { client, repository }: Destination,
  options: { readonly mount?: string; readonly from?: string },
  call: CallOptions,
): Promise<RegistryAnswer> {
  const query = new URLSearchParams(options as Record<string, string>).toString();
  return client.request(
    {
      method: "POST",
      repository,
      to: `blobs/uploads/${query === "" ? "" : `?${query}`}`,
      access: "pull,push",
      doing: `take an upload into ${repository}`,
      headers: { "content-length": "0" },
      ...(options.from === undefined ? {} : { reads: options.from }),
    },
    call,
  );
}

interface Sending {
  readonly at: URL;
  readonly body: AsyncIterable<Uint8Array>;
  /** For people. */
  readonly what: string;
}

async function sendStream(
  destination: Destination,
  { at, body, what }: Sending,
  call: CallOptions,
): Promise<Blob> {
  const { client, repository } = destination;
  const hash = createHash("sha256");
  let size = 0;
  let told = 0;
  async function* counted() {
    for await (const chunk of body) {
      hash.update(chunk);
      size += chunk.length;
      if (size - told >= PROGRESS_BYTES) {
        told = size;
        const message = `sending the ${what} layer`;
        call.onProgress?.({ step: "image-push", state: "advanced", message, done: size, unit: "bytes" });
      }
      yield chunk;
    }
  }
  const sent = await client.request(
    {
      method: "PATCH",
      repository,
      to: at,
      access: "pull,push",
      doing: `take the ${what} layer`,
      headers: { "content-type": "application/octet-stream" },
      body: counted(),
    },
    call,
  );
  const digest = `sha256:${hash.digest("hex")}`;
  await finishUpload(destination, { at: locationOf(sent), digest }, call);
  return { digest, size };
}

async function finishUpload(
  { client, repository }: Destination,
  { at, digest, bytes }: { at: URL; digest: string; bytes?: Uint8Array },
  call: CallOptions,
): Promise<void> {
  at.searchParams.set("digest", digest);
  await client.request(
    {
      method: "PUT",
      repository,
      to: at,
      access: "pull,push",
      doing: `keep the blob ${digest}`,
      headers: { "content-type": "application/octet-stream" },
      body: bytes ?? new Uint8Array(),
    },
    call,
  );
}

export interface NamedManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly tag: string;
  /** For people. */
  readonly ref: string;
}

/** Makes blobs an image, under a name. */
export async function putManifest(
  { client, repository }: Destination,
  { mediaType, bytes, tag, ref }: NamedManifest,
  call: CallOptions,
): Promise<void> {
  const request = {
    method: "PUT",
    repository,
    to: `manifests/${tag}`,
    access: "pull,push",
    doing: `keep the image ${ref}`,
    headers: { "content-type": mediaType },
    body: bytes,
  } as const;
  await client.repeating(() => client.request(request, call), call);
}

/** Where an upload goes on: the registry says it anew after each step. */
function locationOf({ headers, url, status }: RegistryAnswer): URL {
  const location = headers.get("location");
  if (location !== null && URL.canParse(location, url)) return new URL(location, url);
  throw new ManagerError({
    manager: "registry",
    code: "REGISTRY_FAILED",
    message: `${new URL(url).host} answered an upload with ${status} and did not say where it goes on`,
    hint: "check that this is a registry of images",
  });
}

function mixedUp({ client, repository }: Destination, digest: string, found: string): ManagerError {
  return new ManagerError({
    manager: "registry",
    code: "REGISTRY_CORRUPT",
    message: `a layer of the base came as ${found} and not as ${digest}`,
    facts: { registry: client.registry, repository, digest, found },
  });
}

/** gzip without a word of the machine it was made on. */
async function* compressed(layer: ImageLayer): AsyncGenerator<Uint8Array> {
  const source = Readable.from(layer.open());
  const gzip = createGzip({ level: COMPRESSION_LEVEL });
  source.on("error", (error) => gzip.destroy(error));
  source.pipe(gzip);
  try {
    let isHeader = true;
    for await (const chunk of gzip as AsyncIterable<Buffer>) {
      if (isHeader) chunk[OS_BYTE] = UNKNOWN_OS;
      isHeader = false;
      yield chunk;
    }
  } finally {
    source.destroy();
    gzip.destroy();
  }
}
