import path from "node:path";
import type { CallOptions, ImageBase, ImageSink } from "@clipper-serving/spec";
import { followLinks } from "./follow-links.js";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface BaseProgram {
  /** Where it was looked for and is, perhaps as a link. */
  readonly found: string;
  /** The file itself, links followed; absent where they end nowhere. */
  readonly file?: string;
}

/** Where a base's PATH would find a program, first to last. */
export function pathsOf({ config }: ImageBase, program: string): string[] {
  return (config.env.PATH ?? DEFAULT_PATH)
    .split(":")
    .filter((directory) => directory.startsWith("/"))
    .map((directory) => path.posix.join(directory, program));
}

/** The first of some paths that a base has. The base is looked into, not run. */
export async function firstProgram(
  sink: ImageSink,
  image: ImageBase,
  candidates: readonly string[],
  call: CallOptions,
): Promise<BaseProgram | undefined> {
  const files = await sink.files(image, candidates, call);
  const found = candidates.find((candidate) => files.has(candidate));
  if (found === undefined) return undefined;
  const end = await followLinks({ sink, image }, { path: found, file: files.get(found) }, call);
  return { found, ...(end.file?.kind === "file" ? { file: end.path } : {}) };
}
