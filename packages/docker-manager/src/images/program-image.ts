import type { WorkloadSpec } from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import type { InspectedImage } from "../engine/images.js";
import { notFound, type PullOptions, pullImage } from "./pull-image.js";

export type ImageProgram = Extract<WorkloadSpec["program"], { kind: "image" }>;

export interface ProgramImageOptions extends PullOptions {
  /** Whether an image that the engine lacks is fetched. */
  readonly pull: "missing" | "never";
}

/**
 * The image to make containers of, fetched when the engine lacks it.
 * @returns its id, so that a name that is given to another image meanwhile changes nothing
 */
export async function programImage(
  engine: Engine,
  { ref, digest }: ImageProgram,
  options: ProgramImageOptions,
): Promise<string> {
  const byName = await engine.images.inspect(ref);
  if (byName !== undefined && isMeant(byName, digest)) return byName.Id;
  const byDigest = digest === undefined ? undefined : await engine.images.inspect(digest);
  if (byDigest !== undefined) return byDigest.Id;
  if (byName !== undefined) throw mismatch(ref, digest ?? "", byName.Id);
  if (options.pull === "never") throw notFound(ref);
  const pulled = await pullImage(engine, ref, options);
  if (!isMeant(pulled, digest)) throw mismatch(ref, digest ?? "", pulled.Id);
  return pulled.Id;
}

/** An engine that keeps images in containerd knows them by their manifests, and cannot be asked for a configuration's digest. */
function isMeant({ Id, RepoDigests }: InspectedImage, digest: string | undefined): boolean {
  if (digest === undefined || Id === digest) return true;
  const manifests = (RepoDigests ?? []).map((name) => name.slice(name.indexOf("@") + 1));
  return manifests.includes(digest) || manifests.includes(Id);
}

function mismatch(ref: string, wanted: string, found: string): EngineError {
  return new EngineError({
    code: "IMAGE_MISMATCH",
    message: `${ref} is ${found} on this engine, and ${wanted} is wanted`,
    hint: "deploy again, so that the image is put there",
    facts: { image: ref, wanted, found },
  });
}
