/** One thing in a layer. What a layer does not say (owner, time, order) is the same for all; see `tar-stream.ts`. */
export type LayerEntry = LayerDirectory | LayerFile | LayerLink;

export interface LayerDirectory {
  readonly kind: "directory";
  /** Relative to the image's root, `/` between parts, none at the ends. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
}

export interface LayerFile {
  readonly kind: "file";
  readonly path: string;
  readonly mode: number;
  /** Where its bytes are: a file of this machine, or the bytes themselves. */
  readonly source: { readonly file: string; readonly bytes: number } | Uint8Array;
}

export interface LayerLink {
  readonly kind: "link";
  readonly path: string;
  readonly target: string;
}

export const DIRECTORY_MODE = 0o755;
export const FILE_MODE = 0o644;
export const PROGRAM_MODE = 0o755;

export function textFile(path: string, text: string, mode: number = FILE_MODE): LayerFile {
  return { kind: "file", path, mode, source: new TextEncoder().encode(text) };
}

/**
 * @returns the entries with all directories above them, in the one order a layer has: by the bytes of the path, so that a directory
 * comes before what it holds. Of two entries for one path the later one stays.
 */
export function orderedEntries(entries: Iterable<LayerEntry>): LayerEntry[] {
  const byPath = new Map<string, LayerEntry>();
  for (const entry of entries) {
    for (const path of pathsAbove(entry.path)) {
      if (!byPath.has(path)) byPath.set(path, { kind: "directory", path, mode: DIRECTORY_MODE });
    }
    byPath.set(entry.path, entry);
  }
  return [...byPath.values()].sort((left, right) =>
    Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)),
  );
}

function pathsAbove(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
