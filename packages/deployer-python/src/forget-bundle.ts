import { ConflictError, type DeployTarget, type ModelVersion } from "@clipper-serving/spec";

export interface FailedDeploy {
  readonly version: ModelVersion;
  /** Of its bundle. */
  readonly digest: string;
  readonly contentDigest: string;
  /** The bundle was in the store before this deploy. */
  readonly wasKept: boolean;
  /** What the deploy failed with. */
  readonly error: unknown;
}

/** Removes the bundle of a deploy that failed, unless it is somebody else's: a registered version's, or that of another deploy of the same content. */
export async function forgetBundle(
  target: Pick<DeployTarget, "getVersion" | "bundles">,
  { version, digest, contentDigest, wasKept, error }: FailedDeploy,
): Promise<void> {
  if (wasKept || (ConflictError.isInstance(error) && error.code === "OPERATION_RUNNING")) return;
  try {
    if ((await target.getVersion(version))?.contentDigest !== contentDigest)
      await target.bundles.remove(digest);
  } catch {
    // The deploy's own error says more; a bundle left behind is only disk, and the next deploy of it uses it.
  }
}
