import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/**
 * Makes this process the cluster's only supervisor until it ends, however it ends: the kernel holds the lock for the process, on
 * behalf of an SQLite transaction that is never finished. Node has no other way to such a lock.
 * @returns whether it was free
 */
export class ClusterLock {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #inode: number;

  private constructor(database: DatabaseSync, path: string, inode: number) {
    this.#database = database;
    this.#path = path;
    this.#inode = inode;
  }

  static take(path: string): ClusterLock | undefined {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: 0 });
      const before = statSync(path).ino;
      // No journal beside the file: nothing is ever written.
      database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      // The holder before may have removed the file in between: then what is locked is a file nobody else will see.
      if (statSync(path).ino === before) return new ClusterLock(database, path, before);
    } catch (error) {
      const { code, errcode } = error as { code?: string; errcode?: number };
      // 5: locked by another process. 14, ENOENT: the holder before is removing the directory.
      if (errcode !== 5 && errcode !== 14 && code !== "ENOENT") throw error;
    }
    database?.close();
    return undefined;
  }

  /** False once somebody removed the file: then another process can take the lock. */
  get isEffective(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  /** The lock is also gone with this object: whoever holds it must keep it. */
  release(): void {
    this.#database.close();
  }
}
