import { createHash } from "node:crypto";
import type { CallOptions, ImageLayer } from "@clipper-serving/spec";
import { ImageError } from "../image-error.js";
import type { JsonCache } from "../json-cache.js";
import { type LayerEntry, orderedEntries } from "./layer-entry.js";
import { tarOf } from "./tar.js";

/** What is known of a layer without making its tar again. */
export interface KnownLayer {
  readonly diffId: string;
  readonly bytes: number;
}

export interface LayerRequest {
  /** As in `ImageLayer`. */
  readonly purpose: string;
  readonly entries: Iterable<LayerEntry>;
  /** Hashing is left out where this cache knows the key. Whoever gives a key answers for it: equal keys, equal bytes. */
  readonly cached?: { readonly cache: JsonCache<KnownLayer>; readonly key: string };
}

/** Hashes the layer's tar by writing it once to nowhere, or asks the cache. */
export async function createLayer(request: LayerRequest, call: CallOptions = {}): Promise<ImageLayer> {
  const { purpose, cached } = request;
  const entries = orderedEntries(request.entries);
  const known = await cached?.cache.get(cached.key);
  const { diffId, bytes } = known ?? (await measure(tarOf(entries), call));
  if (known === undefined) await cached?.cache.put(cached.key, { diffId, bytes });
  return { purpose, diffId, bytes, open: () => verified({ purpose, diffId, entries }) };
}

async function measure(tar: AsyncIterable<Uint8Array>, { signal }: CallOptions): Promise<KnownLayer> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of tar) {
    signal?.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { diffId: `sha256:${hash.digest("hex")}`, bytes };
}

/** The promise that `open` gives the same bytes each time is kept, or broken aloud before the last of them. */
async function* verified(layer: {
  readonly purpose: string;
  readonly diffId: string;
  readonly entries: readonly LayerEntry[];
}): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let held: Uint8Array | undefined;
  for await (const chunk of tarOf(layer.entries)) {
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  const found = `sha256:${hash.digest("hex")}`;
  if (found !== layer.diffId) {
    throw new ImageError({
      code: "LAYER_CHANGED",
      message: `the ${layer.purpose} layer is no longer what it was when it was hashed`,
      hint: "leave environments and bundles alone while they are deployed, and deploy again",
      facts: { purpose: layer.purpose, diffId: layer.diffId, found },
    });
  }
  if (held !== undefined) yield held;
}
