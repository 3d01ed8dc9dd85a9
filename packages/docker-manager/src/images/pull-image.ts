import type { CallOptions } from "@clipper-serving/spec";
import { dockerCredentials, registryAuthHeader } from "../credentials/docker-credentials.js";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import type { InspectedImage } from "../engine/images.js";
import { readProgress } from "../engine/progress-stream.js";
import { parseImageName } from "./image-name.js";

export interface PullOptions extends CallOptions {
  readonly stallTimeoutMs: number;
  readonly platform?: string | undefined;
}

/**
 * Has the engine fetch an image with the caller's own credentials.
 * @throws EngineError `IMAGE_NOT_FOUND`, `IMAGE_PULL_DENIED`, `IMAGE_PULL_FAILED`, `CREDENTIALS_FAILED`, `ENGINE_STALLED`
 */
export async function pullImage(engine: Engine, ref: string, options: PullOptions): Promise<InspectedImage> {
  const { signal, onProgress, stallTimeoutMs, platform } = options;
  const name = parseImageName(ref);
  const credentials = await dockerCredentials(name.registry, { signal });
  onProgress?.({ step: "image-pull", state: "started", message: `pulling ${ref}` });
  try {
    const answer = await engine.images.pull(name, {
      registryAuth: registryAuthHeader(credentials, name.registry),
      signal,
      answerTimeoutMs: stallTimeoutMs,
      ...(platform === undefined ? {} : { platform }),
    });
    await readProgress(answer, {
      request: `pull ${ref}`,
      stallTimeoutMs,
      signal,
      onLine: ({ id, status, progressDetail }) => {
        const { current, total } = progressDetail ?? {};
        if (current === undefined) return;
        onProgress?.({
          step: "image-pull",
          state: "advanced",
          message: `${status ?? "pulling"} ${id ?? ""}`.trim(),
          done: current,
          ...(total === undefined ? {} : { total }),
          unit: "bytes",
        });
      },
    });
  } catch (error) {
    onProgress?.({ step: "image-pull", state: "failed", message: `pulling ${ref} failed` });
    throw EngineError.isInstance(error) ? pullError(ref, name.registry, error) : error;
  }
  const image = await engine.images.inspect(ref);
  if (image === undefined) {
    throw new EngineError({
      code: "IMAGE_PULL_FAILED",
      message: `the engine says that it pulled ${ref}, and does not have it`,
      facts: { image: ref },
    });
  }
  onProgress?.({ step: "image-pull", state: "done", message: `pulled ${ref}` });
  return image;
}

/** What an engine's refusal to pull means. Engines say it in words only, and differently by version and registry. */
export function pullError(ref: string, registry: string, cause: EngineError): EngineError {
  const answer = String(cause.facts.answer ?? cause.message);
  const facts = { image: ref, registry, answer };
  if (cause.code !== "ENGINE_REFUSED") return cause;
  if (/denied|unauthorized|authentication required|no basic auth/i.test(answer)) {
    return new EngineError({
      code: "IMAGE_PULL_DENIED",
      message: `${registry} does not let ${ref} be pulled: ${answer}`,
      hint: `check the name, and log in with \`docker login ${registry}\``,
      facts,
      cause,
    });
  }
  if (cause.status === 404 || /not found|manifest unknown|does not exist/i.test(answer)) {
    return notFound(ref, cause);
  }
  return new EngineError({
    code: "IMAGE_PULL_FAILED",
    message: `pulling ${ref} failed: ${answer}`,
    hint: `the image is not in the engine, and ${registry} could not give it; load it, or name another`,
    facts,
    cause,
  });
}

export function notFound(ref: string, cause?: unknown): EngineError {
  return new EngineError({
    code: "IMAGE_NOT_FOUND",
    message: `there is no image ${ref}`,
    hint: "check its name; an image that is only on this machine has to be in the engine that runs the cluster",
    facts: { image: ref },
    cause,
  });
}
