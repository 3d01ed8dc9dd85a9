import { type CallOptions, type ContainerManager, MODEL_LABEL } from "@clipper-serving/spec";

/**
 * Takes away the images of versions that are no more, unless something else uses them: another cluster may run the very same. What stays, for
 * whatever reason, `prune` finds later; what it follows has succeeded without it.
 */
export async function removeVersionImages(
  { images }: ContainerManager,
  refs: Iterable<string>,
  { signal, onProgress }: CallOptions = {},
): Promise<void> {
  for (const ref of refs) {
    try {
      const isGone = await images?.remove?.(ref, signal === undefined ? {} : { signal });
      if (isGone) onProgress?.({ step: "image-remove", state: "done", message: `removed the image ${ref}` });
    } catch (error) {
      signal?.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      onProgress?.({ step: "image-remove", state: "failed", message: `${ref} was not removed: ${reason}` });
    }
  }
}

/** @returns names of the images that the cluster's versions are started from, or were before it was stopped */
export async function versionImagesOf(
  { images }: ContainerManager,
  cluster: string,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  const stored = (await images?.list?.(signal === undefined ? {} : { signal })) ?? [];
  const isVersions = ({ labels }: { readonly labels: Readonly<Record<string, string>> }) =>
    labels[MODEL_LABEL] !== undefined;
  return stored
    .filter(({ usedBy }) => usedBy.some((use) => use.cluster === cluster && isVersions(use)))
    .map(({ ref }) => ref);
}
