import { type FileHandle, open } from "node:fs/promises";
import { decodeFrame, type LogFrame, logFiles } from "./log-format.js";
import { LOG_CHUNK_BYTES, type LogFile, type LogPlace, NEWLINE, startOfLatest } from "./log-latest.js";

/** One instance's log: each read gives what was written since the last, across rotations. */
export class LogTail {
  readonly #path: string;
  /** The file read last, told by its inode because a rotation renames it, and how far it was read. */
  #at: LogPlace | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Frames as they are read, many at once.
   * @param options.latest only this many of the latest frames
   * @param options.isLast nothing will be read afterwards: a last line without its newline is given as well
   */
  async *read({
    latest,
    isLast,
  }: {
    latest?: number | undefined;
    isLast: boolean;
  }): AsyncIterable<LogFrame[]> {
    const files = await openFiles(this.#path);
    try {
      if (latest !== undefined) this.#at = await startOfLatest(files, latest, { isLast });
      const start = files.findIndex(({ inode }) => inode === this.#at?.inode);
      for (const { inode, handle } of files.slice(Math.max(start, 0))) {
        if (this.#at?.inode !== inode) this.#at = { inode, offset: 0 };
        yield* this.#framesOf(handle, this.#at, isLast);
      }
    } finally {
      await Promise.all(files.map(({ handle }) => handle.close()));
    }
  }

  async *#framesOf(handle: FileHandle, at: { offset: number }, isLast: boolean): AsyncIterable<LogFrame[]> {
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.alloc(LOG_CHUNK_BYTES);
      const { bytesRead } = await handle.read(chunk, 0, LOG_CHUNK_BYTES, at.offset + rest.length);
      if (bytesRead === 0) break;
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const frames: LogFrame[] = [];
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
        const frame = decodeFrame(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
        at.offset += end + 1;
        if (frame !== undefined) frames.push(frame);
      }
      yield frames;
    }
    const cut = isLast && rest.length > 0 ? decodeFrame(rest) : undefined;
    if (cut !== undefined) yield [cut];
  }
}

/** Oldest first; opened newest first, so that a rotation in between shows a file twice and never hides one. */
async function openFiles(path: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  for (const file of logFiles(path).toReversed()) {
    try {
      const handle = await open(file, "r");
      const { ino: inode } = await handle.stat();
      if (files.some((known) => known.inode === inode)) await handle.close();
      else files.push({ inode, handle });
    } catch (error) {
      // A log that was never rotated has one file; one being rotated has none for a moment.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return files.reverse();
}
