import { ClipperError, failedCheck, type PlatformCheck } from "@clipper-serving/spec";
import { dockerCredentials, registryAuthHeader } from "../credentials/docker-credentials.js";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import { parseImageName } from "../images/image-name.js";
import { notFound, pullError } from "../images/pull-image.js";

/** Whether the engine has an image, or may have it: its registry is asked for the manifest, by the engine itself, with the caller's credentials. */
export async function imageCheck(
  engine: Engine,
  ref: string,
  { pull, signal }: { readonly pull: "missing" | "never"; readonly signal: AbortSignal | undefined },
): Promise<PlatformCheck> {
  const name = `image ${ref}`;
  try {
    const image = await engine.images.inspect(ref);
    if (image !== undefined) {
      return { name, state: "ok", evidence: `the engine has it (${image.Os}/${image.Architecture})` };
    }
    if (pull === "never") throw notFound(ref);
    if (engine.version.product === "podman") {
      return {
        name,
        state: "warning",
        evidence: "the engine has it not, and tells of its registry only by pulling",
      };
    }
    const { registry } = parseImageName(ref);
    await askRegistry(engine, ref, { registry, signal });
    return { name, state: "ok", evidence: `the engine has it not yet; ${registry} lets it be pulled` };
  } catch (error) {
    signal?.throwIfAborted();
    if (!ClipperError.isInstance(error)) throw error;
    return failedCheck(name, error);
  }
}

async function askRegistry(
  engine: Engine,
  ref: string,
  { registry, signal }: { readonly registry: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const credentials = await dockerCredentials(registry, { signal });
  try {
    await engine.images.askRegistry(ref, {
      registryAuth: registryAuthHeader(credentials, registry),
      signal,
    });
  } catch (error) {
    throw EngineError.isInstance(error) ? pullError(ref, registry, error) : error;
  }
}
