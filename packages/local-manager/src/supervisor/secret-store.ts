import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Secrets as files for this user alone; one directory per workload and version of its secrets. */
export class SecretStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  directory(workload: string, version: string): string {
    return join(this.#directory, workload, version);
  }

  /** @returns the directory that holds the files */
  put(workload: string, version: string, files: Readonly<Record<string, Uint8Array>>): string {
    const directory = this.directory(workload, version);
    const aside = `${directory}.new`;
    this.#remove(aside);
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(join(aside, name), bytes, { mode: 0o600, flag: "wx" });
    }
    this.#remove(directory);
    renameSync(aside, directory);
    return directory;
  }

  remove(workload: string, version?: string): void {
    this.#remove(
      version === undefined ? join(this.#directory, workload) : join(this.#directory, workload, version),
    );
  }

  #remove(path: string): void {
    rmSync(path, { recursive: true, force: true });
  }
}
