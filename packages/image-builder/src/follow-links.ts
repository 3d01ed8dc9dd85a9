import path from "node:path";
import type { CallOptions, ImageBase, ImageFile, ImageSink } from "@clipper-serving/spec";

const MOST_LINKS = 8;

/** What an image has at a path. */
export interface FoundFile {
  readonly path: string;
  /** Absent where it has nothing there. */
  readonly file: ImageFile | undefined;
}

/** @returns what a path leads to; still a link where links lead nowhere but to each other */
export async function followLinks(
  { sink, image }: { readonly sink: ImageSink; readonly image: ImageBase },
  start: FoundFile,
  call: CallOptions,
): Promise<FoundFile> {
  let { path: at, file } = start;
  for (let links = 0; file?.kind === "link" && links < MOST_LINKS; links += 1) {
    at = path.posix.resolve(path.posix.dirname(at), file.target);
    file = (await sink.files(image, [at], call)).get(at);
  }
  return { path: at, file };
}
