import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRegistrySink, parseImageReference, readSavedImage } from "@clipper-serving/image-builder";
import { type CallOptions, type ImageRef, InvalidArgumentError } from "@clipper-serving/spec";
import { dockerCredentials } from "../credentials/docker-credentials.js";
import type { Engine } from "../engine/engine.js";
import { chunksOf } from "../engine/engine-client.js";
import { notFound } from "./pull-image.js";
import { StallGuard, type StallGuardOptions } from "./stall-guard.js";

export interface PushOptions extends CallOptions {
  readonly stallTimeoutMs: number;
  readonly cacheDirectory?: string;
  readonly scratchDirectory?: string;
}

/**
 * Copies an image of the engine to a registry, as it is. What the engine gives lies in a temporary directory meanwhile: a registry wants one layer after the
 * other, and again where the way to it broke.
 */
export async function pushImage(
  engine: Engine,
  { ref, to }: { readonly ref: string; readonly to: string },
  { stallTimeoutMs, cacheDirectory, scratchDirectory = tmpdir(), ...call }: PushOptions,
): Promise<ImageRef> {
  const limits = { stallTimeoutMs, signal: call.signal };
  const { registry } = parseImageReference(to);
  if (registry === undefined) {
    throw new InvalidArgumentError({
      argument: "to",
      value: to,
      expected: "a name with its registry, such as registry.example/team/digits:1",
    });
  }
  if ((await engine.images.inspect(ref)) === undefined) throw notFound(ref);
  const directory = await mkdtemp(path.join(scratchDirectory, "clipper-push-"));
  try {
    const sink = createRegistrySink({
      registry,
      cacheDirectory: cacheDirectory ?? path.join(directory, "cache"),
      credentials: (host) => dockerCredentials(host, { signal: call.signal }),
      stallTimeoutMs,
    });
    // A registry that lets nobody in says so before anything is taken from the engine.
    await sink.has(to, call);
    call.onProgress?.({ step: "image-save", state: "started", message: `taking ${ref} from the engine` });
    await mkdir(path.join(directory, "image"));
    const image = await readSavedImage(saved(engine, ref, limits), path.join(directory, "image"), call);
    const bytes = image.layers.reduce((sum, layer) => sum + layer.bytes, 0);
    const message = `took ${ref} from the engine`;
    call.onProgress?.({ step: "image-save", state: "done", message, facts: { bytes } });
    return await sink.copy(image, to, call);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The image as the engine gives it. Before its first byte an engine may gather all of it, for as long as that takes. */
async function* saved(engine: Engine, ref: string, limits: StallGuardOptions): AsyncGenerator<Uint8Array> {
  const archive = await engine.images.save(ref, limits.signal);
  using guard = new StallGuard(limits);
  guard.signal.addEventListener("abort", () => archive.destroy(), { once: true });
  try {
    for await (const chunk of chunksOf(archive, { request: `save ${ref}`, signal: limits.signal })) {
      guard.touch();
      yield chunk;
    }
  } catch (error) {
    throw guard.explain(error);
  }
}
