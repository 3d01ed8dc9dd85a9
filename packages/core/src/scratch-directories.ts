import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { ScratchDirectory } from "@clipper-serving/spec";
import { ignoreMissing } from "./home-files.js";
import { isForsaken, ownedName } from "./owned-name.js";

/** Directories of one process each. What a process left that was killed goes when the next directory is made. */
export class ScratchDirectories {
  readonly #root: string;

  /** @param root made on first use */
  constructor(root: string) {
    this.#root = root;
  }

  async make(): Promise<ScratchDirectory> {
    await this.#sweep();
    const directory = path.join(this.#root, await ownedName("deploy"));
    // It may hold a sample or the user's code, which is nobody else's to read.
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return {
      directory,
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
    };
  }

  async #sweep(): Promise<void> {
    const names = await readdir(this.#root).catch(ignoreMissing([]));
    for (const name of names) {
      const file = path.join(this.#root, name);
      if (await isForsaken(file)) await rm(file, { recursive: true, force: true });
    }
  }
}
