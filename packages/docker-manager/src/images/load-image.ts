import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { imageDigest, missingLayers, writeLoadArchive } from "@clipper-serving/image-builder";
import type { CallOptions, ImagePlan } from "@clipper-serving/spec";
import { mapAtOnce } from "../at-once.js";
import type { Engine } from "../engine/engine.js";
import { EngineError } from "../engine/engine-error.js";
import { readProgress } from "../engine/progress-stream.js";
import { StallGuard } from "./stall-guard.js";

/** How many questions the engine is asked at once. */
const AT_ONCE = 8;

export interface LoadOptions extends CallOptions {
  readonly stallTimeoutMs: number;
}

/**
 * Puts an image into an engine by sending the layers it lacks. The engine takes the others from the images it has, which one that keeps images
 * in containerd, and podman, do not.
 * @returns the image's id
 */
export async function loadImage(engine: Engine, plan: ImagePlan, options: LoadOptions): Promise<string> {
  const { signal, onProgress, stallTimeoutMs } = options;
  const digest = imageDigest(plan);
  const missing = missingLayers(plan, await layersOfImages(engine));
  const total = plan.layers
    .filter(({ diffId }) => missing.has(diffId))
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const facts = { layers: missing.size, bytes: total };
  onProgress?.({ step: "image-load", state: "started", message: messageOf(plan, "loading"), facts });
  const upload = new Upload(writeLoadArchive(plan, missing), (done) =>
    onProgress?.({
      step: "image-load",
      state: "advanced",
      message: messageOf(plan, "loading"),
      done: Math.min(done, total),
      total,
      unit: "bytes",
    }),
  );
  try {
    await send(engine, upload, { signal, stallTimeoutMs });
  } catch (error) {
    onProgress?.({ step: "image-load", state: "failed", message: messageOf(plan, "loading") });
    // A layer that could not be read explains the request that was given up.
    throw upload.error ?? loadError(plan, error);
  }
  if ((await engine.images.inspect(digest)) === undefined) {
    throw loadError(plan, new TypeError("the engine says that it loaded it, and does not have it"));
  }
  onProgress?.({ step: "image-load", state: "done", message: messageOf(plan, "loaded"), facts });
  return digest;
}

async function send(
  engine: Engine,
  upload: Upload,
  { signal, stallTimeoutMs }: { signal: AbortSignal | undefined; stallTimeoutMs: number },
): Promise<void> {
  using guard = new StallGuard({ signal, stallTimeoutMs });
  upload.onBytes = () => guard.touch();
  let answer: IncomingMessage;
  try {
    answer = await engine.images.load(Readable.from(upload.bytes()), guard.signal);
  } catch (error) {
    throw guard.explain(error);
  }
  guard[Symbol.dispose]();
  await readProgress(answer, {
    request: "load",
    stallTimeoutMs,
    signal,
    onWatch: (touch) => {
      upload.onBytes = touch;
    },
  });
}

/** Bytes on their way out, and what became of them. */
class Upload {
  onBytes: () => void = () => undefined;
  error: unknown;
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #onProgress: (done: number) => void;

  constructor(source: AsyncIterable<Uint8Array>, onProgress: (done: number) => void) {
    this.#source = source;
    this.#onProgress = onProgress;
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    let done = 0;
    try {
      for await (const bytes of this.#source) {
        done += bytes.length;
        this.onBytes();
        this.#onProgress(done);
        yield bytes;
      }
    } catch (error) {
      this.error = error;
      throw error;
    }
  }
}

async function layersOfImages(engine: Engine): Promise<(readonly string[])[]> {
  const images = await mapAtOnce(await engine.images.list(), AT_ONCE, ({ Id }) => engine.images.inspect(Id));
  return images.map((image) => image?.RootFS.Layers ?? []);
}

function loadError(plan: ImagePlan, cause: unknown): unknown {
  if (EngineError.isInstance(cause) && cause.code !== "ENGINE_REFUSED") return cause;
  if (!(cause instanceof Error)) return cause;
  return new EngineError({
    code: "IMAGE_LOAD_FAILED",
    message: `${nameOf(plan)} could not be loaded: ${cause.message}`,
    facts: { image: nameOf(plan) },
    cause,
  });
}

function messageOf(plan: ImagePlan, verb: string): string {
  return `${verb} ${nameOf(plan)}`;
}

function nameOf(plan: ImagePlan): string {
  return plan.tags[0] ?? imageDigest(plan);
}
