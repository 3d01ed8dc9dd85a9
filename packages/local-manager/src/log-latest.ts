import type { FileHandle } from "node:fs/promises";

export const NEWLINE = 0x0a;
export const LOG_CHUNK_BYTES = 64 * 1024;

export interface LogFile {
  readonly inode: number;
  readonly handle: FileHandle;
}

/** Up to where a log was read. */
export interface LogPlace {
  readonly inode: number;
  offset: number;
}

/**
 * Looks from the end, so that the latest lines of a long log are as soon there as those of a short one.
 * @param files oldest first
 * @param options.isLast a last line without its newline counts as one
 * @returns where the latest `count` lines begin; undefined when there are no more than those
 */
export async function startOfLatest(
  files: readonly LogFile[],
  count: number,
  { isLast }: { isLast: boolean },
): Promise<LogPlace | undefined> {
  // The newline that ends the line before them: the lines themselves end with one each, but perhaps the last.
  let newlines = count + 1;
  for (const [index, { inode, handle }] of files.toReversed().entries()) {
    let { size: end } = await handle.stat();
    if (index === 0 && isLast && !(await endsWithNewline(handle, end))) newlines -= 1;
    if (newlines === 0) return { inode, offset: end };
    while (end > 0) {
      const start = Math.max(0, end - LOG_CHUNK_BYTES);
      const chunk = Buffer.alloc(end - start);
      await handle.read(chunk, 0, chunk.length, start);
      for (
        let at = chunk.lastIndexOf(NEWLINE);
        at >= 0;
        at = at === 0 ? -1 : chunk.lastIndexOf(NEWLINE, at - 1)
      ) {
        newlines -= 1;
        if (newlines === 0) return { inode, offset: start + at + 1 };
      }
      end = start;
    }
  }
  return undefined;
}

async function endsWithNewline(handle: FileHandle, size: number): Promise<boolean> {
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, Math.max(0, size - 1));
  return size === 0 || last[0] === NEWLINE;
}
