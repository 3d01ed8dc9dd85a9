import { readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { type BundleManifest, environmentName } from "@clipper-serving/spec";
import { ClusterHome } from "./cluster-home.js";
import { DirectoryBundleStore } from "./directory-bundle-store.js";
import { ignoreMissing } from "./home-files.js";
import { ownedName } from "./owned-name.js";

/** An environment takes seconds to minutes to make, and the next deploy often needs the same. */
const KEEP_UNUSED_MS = 24 * 3_600_000;

/**
 * Removes environments that no bundle of any cluster of this home names and no deploy has used for a day, parts of unfinished ones among them.
 * @returns how many
 */
export async function removeUnusedEnvironments(home: string, nowMs = Date.now()): Promise<number> {
  const root = path.join(home, "environments");
  const entries = await readdir(root, { withFileTypes: true }).catch(ignoreMissing([]));
  const old: string[] = [];
  for (const entry of entries) {
    // Beside them lie the locks under which they are made.
    if (entry.isDirectory() && (await unusedForMs(path.join(root, entry.name), nowMs)) > KEEP_UNUSED_MS)
      old.push(entry.name);
  }
  if (old.length === 0) return 0;
  const named = await environmentsNamedIn(home);
  let removed = 0;
  for (const name of old.filter((each) => !named.has(each))) {
    const directory = path.join(root, name);
    // A deploy may have taken it up meanwhile.
    if ((await unusedForMs(directory, nowMs)) <= KEEP_UNUSED_MS) continue;
    const aside = path.join(root, await ownedName(".outgoing"));
    // In one step, so that nobody finds a part of it.
    await rename(directory, aside).catch(ignoreMissing(undefined));
    await rm(aside, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

async function unusedForMs(directory: string, nowMs: number): Promise<number> {
  const entry = await stat(directory).catch(ignoreMissing(undefined));
  return entry === undefined ? 0 : nowMs - entry.mtimeMs;
}

async function environmentsNamedIn(home: string): Promise<ReadonlySet<string>> {
  const manifests: BundleManifest[] = [];
  for (const cluster of await ClusterHome.list(home)) {
    const store = new DirectoryBundleStore(new ClusterHome(home, cluster).bundlesDirectory);
    for (const { manifest } of await store.list()) manifests.push(manifest);
  }
  return new Set(manifests.map(environmentName));
}
