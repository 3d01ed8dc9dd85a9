import { createHash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { imageDigest } from "@clipper-serving/image-builder";
import type { ImageLayer, ImagePlan } from "@clipper-serving/spec";
import type { Engine } from "../engine/engine.js";
import { LABEL } from "../workload/labels.js";
import { inspectionName } from "../workload/names.js";
import { engineConfig } from "./image-config.js";
import { parseImageName } from "./image-name.js";
import type { LoadOptions } from "./load-image.js";
import { StallGuard } from "./stall-guard.js";

/** Where the images are kept that consist of a base and the first layers of a plan. */
export const STEPS_REPOSITORY = "clipper/layers";

/**
 * Puts an image into an engine that does not take single layers: each layer is unpacked into a container, never started, of the image below it,
 * which becomes an image of its own. So a changed function unpacks only its own layer, on the image that ends with the environment.
 * @returns the image's id, which is the engine's choice
 */
export async function commitImage(
  engine: Engine,
  plan: ImagePlan,
  { onProgress, ...limits }: LoadOptions,
): Promise<string> {
  const total = plan.layers.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  let below = plan.base.ref;
  let key = createHash("sha256").update(plan.base.diffIds.join());
  onProgress?.({ step: "image-load", state: "started", message: `unpacking ${plan.layers.length} layers` });
  for (const layer of plan.layers) {
    const { diffId, bytes, purpose } = layer;
    limits.signal?.throwIfAborted();
    key = key.copy().update(diffId);
    const tag = key.copy().digest("hex").slice(0, 24);
    const ref = `${STEPS_REPOSITORY}:${tag}`;
    if ((await engine.images.inspect(ref)) === undefined) {
      const config = { Cmd: ["-"] };
      await commit(engine, { below, repository: STEPS_REPOSITORY, tag, config, layer }, limits);
    }
    below = ref;
    done += bytes;
    onProgress?.({
      step: "image-load",
      state: "advanced",
      message: `unpacked the ${purpose} layer`,
      done,
      total,
      unit: "bytes",
    });
  }
  const { repository, tag } = parseImageName(
    plan.tags[0] ?? `${STEPS_REPOSITORY}:${imageDigest(plan).slice(7)}`,
  );
  const id = await commit(engine, { below, repository, tag, config: engineConfig(plan.config) }, limits);
  onProgress?.({ step: "image-load", state: "done", message: `made ${repository}:${tag}` });
  return id;
}

interface CommitRequest {
  readonly below: string;
  readonly repository: string;
  readonly tag: string;
  readonly config: object;
  readonly layer?: ImageLayer;
}

async function commit(
  engine: Engine,
  { below, repository, tag, config, layer }: CommitRequest,
  limits: LoadOptions,
): Promise<string> {
  const { Labels = {}, ...rest } = config as { Labels?: object };
  const id = await engine.containers.create(inspectionName(randomUUID()), {
    ...rest,
    Image: below,
    Labels: { ...Labels, [LABEL.kind]: "inspection" },
    HostConfig: { NetworkMode: "none" },
  });
  try {
    if (layer !== undefined) await unpack(engine, id, layer, limits);
    return await engine.containers.commit(id, { repository, tag, signal: limits.signal });
  } finally {
    await engine.containers.remove(id);
  }
}

async function unpack(
  engine: Engine,
  container: string,
  { open }: ImageLayer,
  { signal, stallTimeoutMs }: LoadOptions,
): Promise<void> {
  using guard = new StallGuard({ signal, stallTimeoutMs });
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const bytes of open()) {
      guard.touch();
      yield bytes;
    }
  }
  try {
    const limits = { signal: guard.signal, answerTimeoutMs: 0 };
    await engine.containers.putArchive(container, "/", Readable.from(watched()), limits);
  } catch (error) {
    throw guard.explain(error);
  }
}
