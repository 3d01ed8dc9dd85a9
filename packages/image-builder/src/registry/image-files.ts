import { type CallOptions, ClipperError, type ImageFile } from "@clipper-serving/spec";
import type { JsonCache } from "../json-cache.js";
import { LARGEST_CONTENT, type LayerListing, listLayer } from "./layer-listing.js";
import type { Descriptor } from "./media-types.js";
import { corruptError } from "./registry-errors.js";
import type { RemoteImage } from "./remote-image.js";

/** Looks for files in an image's layers, the highest first, and keeps the listings: a layer is fetched once. */
export class ImageFiles {
  readonly #cache: JsonCache<LayerListing>;

  constructor(cache: JsonCache<LayerListing>) {
    this.#cache = cache;
  }

  async find(
    image: RemoteImage,
    paths: readonly string[],
    call: CallOptions,
  ): Promise<ReadonlyMap<string, ImageFile>> {
    const found = new Map<string, ImageFile>();
    const open = new Set(paths);
    for (const layer of image.manifest.layers.toReversed()) {
      if (open.size === 0) break;
      const listing = await this.#listing(image, layer, { open, call });
      for (const wanted of [...open]) {
        const state = lookUp(listing, wanted.slice(1));
        if (state === undefined) continue;
        open.delete(wanted);
        if (state !== "gone") found.set(wanted, state);
      }
    }
    return found;
  }

  async #listing(
    { client, repository }: RemoteImage,
    { digest, mediaType }: Descriptor,
    { open, call }: { open: ReadonlySet<string>; call: CallOptions },
  ): Promise<LayerListing> {
    const wanted = new Set([...open].map((name) => name.slice(1)));
    const known = await this.#cache.get(digest);
    if (known !== undefined && isEnough(known, wanted)) return known;
    call.onProgress?.({
      step: "base-inspect",
      state: "advanced",
      message: `reading the base's layer ${digest}`,
    });
    const read = await client.repeating(async () => {
      try {
        return await listLayer(client.blob(repository, digest, call), mediaType, wanted);
      } catch (error) {
        if (ClipperError.isInstance(error) || call.signal?.aborted === true) throw error;
        // What cannot be unpacked is found out before the digest is.
        const { registry } = client;
        throw corruptError({ registry, repository, doing: `give the layer ${digest}` }, { digest }, error);
      }
    }, call);
    const listing = { ...read, contents: { ...known?.contents, ...read.contents } };
    await this.#cache.put(digest, listing);
    return listing;
  }
}

/** Whether a kept listing has the content of each small file that is wanted now. */
function isEnough({ entries, contents }: LayerListing, wanted: ReadonlySet<string>): boolean {
  return [...wanted].every((name) => {
    const entry = entries[name];
    return typeof entry !== "number" || entry > LARGEST_CONTENT || name in contents;
  });
}

/** What a layer says of a path; undefined when it says nothing, and a lower layer has the word. */
function lookUp({ entries, contents }: LayerListing, name: string): ImageFile | "gone" | undefined {
  const entry = entries[name];
  if (typeof entry === "number") {
    const content = contents[name];
    return {
      kind: "file",
      size: entry,
      ...(content === undefined ? {} : { content: Buffer.from(content, "base64") }),
    };
  }
  if (typeof entry === "object") return { kind: "link", target: entry.link };
  if (entry !== undefined) return "gone";
  const isHidden = parentsOf(name).some((parent) => {
    const above = entries[parent];
    return above !== undefined && above !== "directory";
  });
  return isHidden ? "gone" : undefined;
}

function parentsOf(name: string): string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
