import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { firstHead } from "./head.js";
import { StoreForeignError, StoreSchemaError } from "./store-errors.js";

/** Of the tables below. A change of them adds one, and a step that brings older files up to it. */
const SCHEMA_VERSION = 1;

/** `CLPS`: what tells our files from other programs' databases. */
const APPLICATION_ID = 0x434c5053;

const TABLES = `
  CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    revision INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE records (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    revision INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE commits (
    revision INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    changes TEXT NOT NULL
  ) STRICT;
`;

/**
 * Makes the tables in a new file, and checks those of an old one. Within a transaction, so that of two processes one makes them.
 * @throws StoreSchemaError, StoreForeignError
 */
export function prepareSchema(database: DatabaseSync, path: string): void {
  const found = pragma(database, "user_version");
  const applicationId = pragma(database, "application_id");
  const { tables } = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() as {
    tables: number;
  };
  if (tables === 0) {
    const head = firstHead(randomBytes(16).toString("hex"));
    database.exec(TABLES);
    database
      .prepare("INSERT INTO head (id, epoch, revision, hash) VALUES (1, ?, ?, ?)")
      .run(head.epoch, head.revision, head.hash);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
    return;
  }
  if (applicationId !== APPLICATION_ID) throw new StoreForeignError({ path });
  if (found > SCHEMA_VERSION) throw new StoreSchemaError({ path, found, supported: SCHEMA_VERSION });
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
