import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { LogLine } from "@clipper-serving/spec";
import { encodeFrames, LOG_FILE_BYTES, LOG_FILE_COUNT } from "../log-format.js";

/**
 * Appends one instance's lines to its file. Writes are synchronous: lines are in the file before the next are read from the pipe, so
 * that lines outlive this process, and a program that writes faster than the disk waits at its own pipe.
 */
export class LogWriter {
  readonly #path: string;
  readonly #fileBytes: number;
  #file: number | undefined;
  #bytes = 0;

  constructor(path: string, { fileBytes = LOG_FILE_BYTES }: { fileBytes?: number } = {}) {
    this.#path = path;
    this.#fileBytes = fileBytes;
  }

  write(stream: LogLine["stream"], lines: readonly Uint8Array[]): void {
    const frames = encodeFrames(stream, Date.now(), lines);
    try {
      if (this.#file === undefined) this.#open();
      if (this.#bytes > 0 && this.#bytes + frames.length > this.#fileBytes) this.#rotate();
      const written = writeSync(this.#file!, frames);
      this.#bytes += written;
      // A disk that is full in the middle of a frame: opened again, the file is given its newline.
      if (written < frames.length) this.close();
    } catch {
      // A full disk loses log lines and nothing else: the instance must go on.
      this.close();
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    this.#file = openSync(this.#path, "a+", 0o600);
    this.#bytes = fstatSync(this.#file).size;
    if (this.#bytes > 0 && !endsWithNewline(this.#file, this.#bytes))
      this.#bytes += writeSync(this.#file, "\n");
  }

  #rotate(): void {
    this.close();
    for (let age = LOG_FILE_COUNT - 2; age >= 0; age -= 1) {
      try {
        renameSync(age === 0 ? this.#path : `${this.#path}.${age}`, `${this.#path}.${age + 1}`);
      } catch (error) {
        // Not there yet: there were fewer rotations than files.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
    this.#open();
  }
}

/** Whether the last frame is whole: its writer may have been killed in the middle. */
function endsWithNewline(file: number, size: number): boolean {
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}
