import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { BundleError, type BundleInfo, type BundleManifest } from "@clipper-serving/spec";

export const MANIFEST = "manifest.json";

/** Reads a bundle and checks every file against its manifest. @throws BundleError */
export async function readBundle(directory: string, signal: AbortSignal | undefined): Promise<BundleInfo> {
  const text = await readFile(path.join(directory, MANIFEST), { encoding: "utf8", signal }).catch(
    (cause: unknown) => {
      throw new BundleError({
        message: `${directory} holds no readable ${MANIFEST}`,
        facts: { directory },
        cause,
      });
    },
  );
  const manifest = parseManifest(text, directory);
  for (const [name, expected] of Object.entries(manifest.files)) {
    signal?.throwIfAborted();
    const file = insideOf(directory, name);
    const actual = await hashFile(file).catch((cause: unknown) => {
      throw new BundleError({ message: `the bundle lacks ${name}`, facts: { directory, file: name }, cause });
    });
    if (actual !== expected) {
      throw new BundleError({
        message: `${name} is not what the bundle's manifest says`,
        hint: "deploy the function again: the bundle was changed after it was made",
        facts: { directory, file: name, expected, actual },
      });
    }
  }
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  return { digest, manifest, bytes: await bytesOf(directory, manifest) };
}

/** @throws BundleError */
export function parseManifest(text: string, directory: string): BundleManifest {
  let manifest: BundleManifest;
  try {
    manifest = JSON.parse(text) as BundleManifest;
  } catch (cause) {
    throw new BundleError({
      message: `${MANIFEST} of ${directory} is not JSON`,
      facts: { directory },
      cause,
    });
  }
  if (manifest.formatVersion !== 1) {
    throw new BundleError({
      message: `bundle format ${String(manifest.formatVersion)} is not known here; 1 is`,
      hint: "use the version of these packages that made the bundle, or deploy the function again",
      facts: { directory },
    });
  }
  return manifest;
}

function insideOf(directory: string, name: string): string {
  const file = path.resolve(directory, name);
  if (!file.startsWith(path.resolve(directory) + path.sep)) {
    throw new BundleError({
      message: `the bundle names a file outside itself: ${name}`,
      facts: { directory, file: name },
    });
  }
  return file;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

export async function bytesOf(directory: string, manifest: BundleManifest): Promise<number> {
  const sizes = await Promise.all(
    [MANIFEST, ...Object.keys(manifest.files)].map(
      async (name) => (await stat(insideOf(directory, name))).size,
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
