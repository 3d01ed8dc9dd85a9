import { ClipperError, StoreUnavailableError } from "@clipper-serving/spec";

/** What is kept there was written by a newer version of this package, and is left alone. */
export class StoreSchemaError extends ClipperError {
  constructor(facts: { path: string; found: number; supported: number }) {
    super({
      code: "STORE_SCHEMA_NEWER",
      message: `${facts.path} has schema ${facts.found}, and this version knows schemas up to ${facts.supported}`,
      hint: "use the version of Clipper that wrote it, or a newer one",
      facts,
    });
  }
}

/** What is kept there is something else's, and is left alone. */
export class StoreForeignError extends ClipperError {
  constructor(facts: { path: string }) {
    super({
      code: "STORE_FOREIGN",
      message: `${facts.path} is a database, but not one of Clipper's`,
      hint: "give the state a file, or in Redis a prefix, of its own",
      facts,
    });
  }
}

/** Redis is set so that it may lose what it acknowledged. */
export class StoreSettingsError extends ClipperError {
  constructor(options: {
    place: string;
    message: string;
    hint: string;
    settings: Readonly<Record<string, string | undefined>>;
  }) {
    const { place, message, hint, settings } = options;
    super({
      code: "STORE_UNSAFE",
      message: `redis at ${place} ${message}`,
      hint,
      facts: { place, settings },
    });
  }
}

/** A commit would have written over a record that cannot be read any more. */
export class RecordCorruptError extends ClipperError {
  constructor(facts: { path: string; kind: string; key: string }) {
    super({
      code: "RECORD_CORRUPT",
      message: `${facts.kind} ${JSON.stringify(facts.key)} in ${facts.path} is damaged and is not written over`,
      hint: "restore the store from a copy, or purge the cluster",
      facts,
    });
  }
}

/** A record that is not what was committed. */
export interface StoreProblem {
  readonly kind: string;
  readonly key: string;
  /** Whether the history still held what was committed, which is then given out; otherwise the record is left out. */
  readonly recovered: boolean;
  readonly message: string;
}

/** What a person can do, by SQLite's primary result code. */
const HINTS: ReadonlyMap<number, string> = new Map([
  [5, "another process holds the file for writing: try again"],
  [6, "another process holds the file for writing: try again"],
  [8, "the file or its directory cannot be written, or was replaced while it was open"],
  [10, "the disk below the file fails, or a limit on file sizes was reached"],
  [11, "the file is damaged: restore it from a copy"],
  [13, "free space on the disk that holds the file, or raise maxBytes"],
  [14, "its directory must exist and be writable"],
  [26, "the file is damaged, or not a database: restore it from a copy"],
]);

/** @returns the error for a failed call of `node:sqlite`; errors of ours pass unchanged */
export function storeError(operation: string, cause: unknown): unknown {
  if (ClipperError.isInstance(cause) || cause instanceof TypeError) return cause;
  return new StoreUnavailableError({
    store: "sqlite",
    operation,
    cause,
    ...withHint(HINTS.get(primaryCode(cause) ?? -1)),
  });
}

export function storeClosed(store: string, operation: string): StoreUnavailableError {
  return new StoreUnavailableError({ store, operation, hint: "it was closed" });
}

/** Whether somebody else's lock was in the way, and trying again may do. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === 5 || code === 6;
}

/** @returns SQLite's result code without its extension */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff;
}

function withHint(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint };
}
