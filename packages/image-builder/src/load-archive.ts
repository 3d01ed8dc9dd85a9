import { type ImagePlan, InvalidArgumentError } from "@clipper-serving/spec";
import { imageConfigBytes, sha256Of } from "./image-config.js";
import type { LayerEntry } from "./layers/layer-entry.js";
import { tarEnd, tarHeader, tarPadding } from "./layers/tar-header.js";

/**
 * What `docker load` reads, as a stream: the configuration, and only those layers that the engine lacks. A layer that is named and not
 * there is taken from the engine's store, as long as everything below it is there too; see {@link missingLayers}.
 *
 * The image's id is the plan's digest afterwards. The containerd image store and podman refuse an archive that is not whole.
 * @param missing diffIds; those of the base cannot be among them
 */
export async function* writeLoadArchive(
  plan: ImagePlan,
  missing: ReadonlySet<string>,
): AsyncGenerator<Uint8Array> {
  const absent = plan.base.diffIds.find((diffId) => missing.has(diffId));
  if (absent !== undefined) {
    throw new InvalidArgumentError({
      argument: "missing",
      value: absent,
      expected: `layers over the base: ${plan.base.ref} itself has to be in the engine first`,
    });
  }
  const config = imageConfigBytes(plan);
  const configName = `${sha256Of(config).slice("sha256:".length)}.json`;
  const all = [...plan.base.diffIds, ...plan.layers.map(({ diffId }) => diffId)];
  const manifest = [{ Config: configName, RepoTags: plan.tags, Layers: all.map(layerName) }];
  yield* archiveFile(configName, config);
  yield* archiveFile("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
  const sent = new Set<string>();
  for (const { diffId, bytes, open } of plan.layers) {
    if (!missing.has(diffId) || sent.has(diffId)) continue;
    sent.add(diffId);
    yield tarHeader(fileEntry(layerName(diffId)), bytes);
    yield* open();
    yield tarPadding(bytes);
  }
  yield tarEnd();
}

/**
 * The layers of a plan that an engine has to be sent. An engine knows a layer only together with all below it, so it is the longest start
 * of the plan that one of its images begins with.
 * @param present of each image in the engine, the ids of its layers, lowest first
 */
export function missingLayers(plan: ImagePlan, present: Iterable<readonly string[]>): Set<string> {
  const wanted = [...plan.base.diffIds, ...plan.layers.map(({ diffId }) => diffId)];
  let known = 0;
  for (const layers of present) {
    let same = 0;
    while (same < wanted.length && layers[same] === wanted[same]) same += 1;
    known = Math.max(known, same);
  }
  return new Set(wanted.slice(known));
}

function* archiveFile(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield tarHeader(fileEntry(name), bytes.length);
  yield bytes;
  yield tarPadding(bytes.length);
}

function fileEntry(path: string): LayerEntry {
  return { kind: "file", path, mode: 0o644, source: new Uint8Array() };
}

function layerName(diffId: string): string {
  return `${diffId.slice("sha256:".length)}/layer.tar`;
}
