import { lstat } from "node:fs/promises";
import path from "node:path";
import type { BundleManifest, CallOptions, ImageLayer } from "@clipper-serving/spec";
import { ImageError } from "../image-error.js";
import { BUNDLE_PLACE } from "../places.js";
import { createLayer } from "./layer.js";
import { FILE_MODE, type LayerEntry } from "./layer-entry.js";

export interface BundleSource {
  readonly directory: string;
  /** `sha256:…` of its manifest.json. */
  readonly digest: string;
  readonly manifest: BundleManifest;
}

/**
 * A bundle as layers, what seldom changes lowest: a framework's own artefacts, local modules, then the function with the manifest. Only
 * files that the manifest names go in. A layer that would be empty is left out.
 */
export async function bundleLayers(
  { directory, manifest }: BundleSource,
  call: CallOptions = {},
): Promise<readonly ImageLayer[]> {
  const names = [...Object.keys(manifest.files), "manifest.json"];
  const byPurpose = Map.groupBy(names, purposeOf);
  const layers: ImageLayer[] = [];
  for (const purpose of ["model", "modules", "function"]) {
    const entries = await Promise.all((byPurpose.get(purpose) ?? []).map((name) => entryOf(directory, name)));
    if (entries.length > 0) layers.push(await createLayer({ purpose, entries }, call));
  }
  return layers;
}

function purposeOf(name: string): string {
  if (name.startsWith("model/")) return "model";
  return name.startsWith("modules/") ? "modules" : "function";
}

async function entryOf(directory: string, name: string): Promise<LayerEntry> {
  const file = path.join(directory, name);
  const stats = await lstat(file).catch((cause: unknown) => {
    throw refused(name, "is named by the bundle's manifest and cannot be read", cause);
  });
  if (!stats.isFile()) throw refused(name, "is named by the bundle's manifest and is not a file");
  return {
    kind: "file",
    path: `${BUNDLE_PLACE}/${name}`,
    mode: FILE_MODE,
    source: { file, bytes: stats.size },
  };
}

function refused(file: string, why: string, cause?: unknown): ImageError {
  return new ImageError({ code: "LAYER_INPUT", message: `${file} ${why}`, facts: { file }, cause });
}
