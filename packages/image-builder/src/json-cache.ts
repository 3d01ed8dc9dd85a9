import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

/** Remembers facts between runs, a small file for each key. Several processes may share the directory; losing it costs time only. */
export class JsonCache<Fact> {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async get(key: string): Promise<Fact | undefined> {
    try {
      return JSON.parse(await readFile(this.#fileOf(key), "utf8")) as Fact;
    } catch {
      // Absent or damaged: it is found out again.
      return undefined;
    }
  }

  async put(key: string, fact: Fact): Promise<void> {
    const temporary = `${this.#fileOf(key)}.${randomUUID()}`;
    try {
      await mkdir(this.#directory, { recursive: true });
      await writeFile(temporary, JSON.stringify(fact));
      await rename(temporary, this.#fileOf(key));
    } catch {
      // As when it is lost: a full disk, or a directory of somebody else's, is no reason to fail.
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  #fileOf(key: string): string {
    return path.join(this.#directory, `${createHash("sha256").update(key).digest("hex")}.json`);
  }
}
