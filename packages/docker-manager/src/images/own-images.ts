import { plannedRole } from "@clipper-serving/image-builder";
import type { ImageUse, StoredImage } from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { isConflict } from "../engine/engine-error.js";
import type { InspectedImage } from "../engine/images.js";
import { STEPS_REPOSITORY } from "./commit-image.js";
import { type ClaimedImage, claimedImages } from "./image-claims.js";

/** The images on an engine that were made here, one entry a name. */
export async function ownImages(engine: Engine): Promise<readonly StoredImage[]> {
  const [listed, claims] = await Promise.all([engine.images.list(), claimedImages(engine)]);
  const named = listed.flatMap((image) =>
    (image.RepoTags ?? []).filter((name) => isOwn(name, image.Labels ?? {})).map((ref) => ({ ref, image })),
  );
  const stored = named.map(async ({ ref, image }): Promise<StoredImage> => {
    const putAtMs = Date.parse((await engine.images.inspect(image.Id))?.Metadata?.LastTagTime ?? "");
    return {
      ref,
      digest: image.Id,
      bytes: image.Size,
      labels: image.Labels ?? {},
      // An engine that does not know says a time before all others.
      ...(putAtMs > 0 ? { putAtMs } : {}),
      usedBy: usesOf(ref, image.Id, claims),
    };
  });
  return (await Promise.all(stored)).sort((left, right) => (left.ref < right.ref ? -1 : 1));
}

/** @returns whether the name is gone: not where the image is in use, nor where it was not made here */
export async function removeOwnImage(engine: Engine, ref: string): Promise<boolean> {
  const image = await engine.images.inspect(ref);
  if (image === undefined) return true;
  if (!isOwn(ref, labelsOf(image))) return false;
  if (usesOf(ref, image.Id, await claimedImages(engine)).length > 0) return false;
  try {
    await engine.images.remove(ref);
    return true;
  } catch (error) {
    // A container is made of it that is no cluster's.
    if (isConflict(error)) return false;
    throw error;
  }
}

function isOwn(name: string, labels: Readonly<Record<string, string>>): boolean {
  return plannedRole(name, labels) !== undefined || name.startsWith(`${STEPS_REPOSITORY}:`);
}

function labelsOf({ Config }: InspectedImage): Readonly<Record<string, string>> {
  return Config?.Labels ?? {};
}

/** One use of each workload, of which there may be several claims. */
function usesOf(ref: string, id: string, claims: readonly ClaimedImage[]): readonly ImageUse[] {
  const uses = claims
    .filter(({ program }) => program.ref === ref || program.digest === id)
    .map(({ use }) => [`${use.cluster}/${use.workload}`, use] as const);
  return [...new Map(uses).values()];
}
