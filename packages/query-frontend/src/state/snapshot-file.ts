import { createHash } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ClipperError, type StateSnapshot } from "@clipper-serving/spec";

const FORMAT = 1;
const NAME = "state-snapshot.json";

/** The snapshot on disk is not one that was written whole. */
export class SnapshotCorruptError extends ClipperError {
  constructor(path: string, message: string, cause?: unknown) {
    super({
      code: "SNAPSHOT_CORRUPT",
      message: `the snapshot ${path} cannot be used: ${message}`,
      hint: "it is written anew with the next state from the management frontend",
      facts: { path },
      cause,
    });
  }
}

/**
 * The last known good state on disk, so that a frontend serves after a restart while nobody can tell it the state.
 * Written to a new file that takes the old one's place, so that one of the two is whole whatever happens in between.
 */
export class SnapshotFile {
  readonly path: string;
  #writing: Promise<void> = Promise.resolve();
  #next: StateSnapshot | undefined;

  constructor(directory: string) {
    this.path = join(directory, NAME);
  }

  /** @returns undefined when there is none @throws SnapshotCorruptError */
  async read(): Promise<StateSnapshot | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new SnapshotCorruptError(this.path, "it cannot be read", cause);
    }
    const end = text.indexOf("\n");
    if (end < 0 || text.slice(0, end) !== header(text.slice(end + 1))) {
      throw new SnapshotCorruptError(this.path, "its checksum does not hold");
    }
    return JSON.parse(text.slice(end + 1)) as StateSnapshot;
  }

  /** Resolves when this snapshot, or a later one, is durable. Snapshots that come while one is written are written once, the last of them. */
  write(snapshot: StateSnapshot): Promise<void> {
    const isScheduled = this.#next !== undefined;
    this.#next = snapshot;
    if (!isScheduled) {
      const writeNext = () => this.#write();
      this.#writing = this.#writing.then(writeNext, writeNext);
    }
    return this.#writing;
  }

  /** Resolves when nothing is being written; whether it could be, `write` tells. */
  async written(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  async #write(): Promise<void> {
    const snapshot = this.#next as StateSnapshot;
    this.#next = undefined;
    const body = JSON.stringify(snapshot);
    const temporary = `${this.path}.new`;
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(`${header(body)}\n${body}`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.path);
    const directory = await open(dirname(this.path));
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

function header(body: string): string {
  return `clipper-state-snapshot ${FORMAT} sha256:${createHash("sha256").update(body).digest("hex")}`;
}
