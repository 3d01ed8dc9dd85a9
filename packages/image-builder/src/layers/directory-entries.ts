import type { Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { ImageError } from "../image-error.js";
import { DIRECTORY_MODE, FILE_MODE, type LayerEntry, PROGRAM_MODE } from "./layer-entry.js";

export interface DirectoryRequest {
  readonly directory: string;
  /** Where it lies in the image. */
  readonly place: string;
  /** Whether something goes in, by its path below the directory; a directory that does not is not entered. Default: all. */
  readonly includes?: (relativePath: string) => boolean;
}

/** What a directory holds, and a digest that changes when any of it may have. */
export interface DirectoryContent {
  readonly entries: readonly LayerEntry[];
  /** Over paths, sizes, times and links: cheap, and different for each copy of equal files. */
  readonly stamp: string;
}

/**
 * Everything below a directory. Of the permission bits only "executable" is kept, so that neither umask nor owner shows.
 * @throws ImageError `LAYER_INPUT` for what cannot lie in a layer: sockets, devices, links that leave the directory
 */
export async function directoryEntries(request: DirectoryRequest): Promise<DirectoryContent> {
  const { directory, place, includes = () => true } = request;
  const entries: LayerEntry[] = [];
  const stamps: string[] = [];
  const visit = async (relative: string): Promise<void> => {
    const names = await readdir(path.join(directory, relative));
    for (const name of names.sort()) {
      const below = relative === "" ? name : `${relative}/${name}`;
      if (!includes(below)) continue;
      const file = path.join(directory, below);
      const stats = await lstat(file);
      const entry = await entryOf({ file, directory, stats, path: `${place}/${below}` });
      entries.push(entry);
      stamps.push(stampOf(entry, stats));
      if (entry.kind === "directory") await visit(below);
    }
  };
  await visit("");
  return { entries, stamp: stamps.join("\n") };
}

interface FoundFile {
  readonly file: string;
  readonly directory: string;
  readonly stats: Stats;
  readonly path: string;
}

async function entryOf({ file, directory, stats, path: place }: FoundFile): Promise<LayerEntry> {
  if (stats.isDirectory()) return { kind: "directory", path: place, mode: DIRECTORY_MODE };
  if (stats.isFile()) {
    const mode = (stats.mode & 0o100) === 0 ? FILE_MODE : PROGRAM_MODE;
    return { kind: "file", path: place, mode, source: { file, bytes: stats.size } };
  }
  if (!stats.isSymbolicLink()) throw refused(file, "is neither a file, a directory nor a link");
  const target = await readlink(file);
  const resolved = path.resolve(path.dirname(file), target);
  const isInside = resolved === directory || resolved.startsWith(directory + path.sep);
  if (path.isAbsolute(target) || !isInside) throw refused(file, `is a link that leads outside, to ${target}`);
  return { kind: "link", path: place, target };
}

function stampOf(entry: LayerEntry, stats: Stats): string {
  const said =
    entry.kind === "link"
      ? entry.target
      : entry.kind === "file"
        ? `${stats.size} ${stats.mtimeMs} ${entry.mode}`
        : "";
  return `${entry.kind} ${entry.path} ${said}`;
}

function refused(file: string, why: string): ImageError {
  return new ImageError({
    code: "LAYER_INPUT",
    message: `${file} ${why}, and cannot be part of an image`,
    facts: { file },
  });
}
