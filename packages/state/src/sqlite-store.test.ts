import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { stateStoreSuite } from "@clipper-serving/testing/state-store";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "./index.js";
import { temporaryDirectory } from "./test-support/temporary-directory.js";

stateStoreSuite({
  runner: { describe, it },
  name: "sqlite",
  create: async (options) => {
    const directory = await temporaryDirectory();
    const open = () => openSqliteStore({ path: join(directory.path, "state.db"), ...options });
    const store = await open();
    return {
      store,
      reopen: open,
      [Symbol.asyncDispose]: async () => {
        await store[Symbol.asyncDispose]();
        await directory[Symbol.asyncDispose]();
      },
    };
  },
  skip: {
    "one that can be destroyed is gone for whoever has it open, and other stores beside it are not":
      "it goes with the volume it lies on",
  },
});

const UNAVAILABLE = expect.objectContaining({ code: "STORE_UNAVAILABLE", hint: expect.any(String) });

/** Calls `edit` with the file as another program would open it. */
function editing<Result>(path: string, edit: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(path);
  try {
    return edit(database);
  } finally {
    database.close();
  }
}

describe("openSqliteStore", () => {
  it("writes ahead and waits for the disk", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await using _store = await openSqliteStore({ path });
    editing(path, (database) => {
      expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    });
  });

  it("refuses a file of a newer schema with both versions, and leaves it as it is", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
    editing(path, (database) => database.exec("PRAGMA user_version = 7"));
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: "STORE_SCHEMA_NEWER",
      facts: { found: 7, supported: 1 },
      message: expect.stringMatching(/schema 7.*up to 1/),
    });
    editing(path, (database) => {
      expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 7 });
    });
  });

  it("refuses another program's database, and leaves it as it is", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "other.db");
    editing(path, (database) => database.exec("CREATE TABLE theirs (a)"));
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: "STORE_FOREIGN" });
    editing(path, (database) => {
      expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "delete" });
      expect(database.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "theirs" }]);
    });
  });

  it("refuses a file that is no database, and never makes a new one in its place", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await writeFile(path, "not a database, and longer than a header ".repeat(100));
    await expect(openSqliteStore({ path })).rejects.toEqual(UNAVAILABLE);
    await expect(openSqliteStore({ path })).rejects.toThrow(/not a database/);
  });

  it("says that the directory is missing", async () => {
    await using directory = await temporaryDirectory();
    await expect(openSqliteStore({ path: join(directory.path, "none", "state.db") })).rejects.toEqual(
      UNAVAILABLE,
    );
  });

  it("opens one new file from many callers at once as one store", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    const stores = await Promise.all(Array.from({ length: 8 }, () => openSqliteStore({ path })));
    const heads = await Promise.all(stores.map(async (store) => (await store.read()).head.epoch));
    expect(new Set(heads).size).toBe(1);
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
  });
});

describe("a commit that cannot be written", () => {
  it("waits for another process's commit no longer than busyTimeoutMs, and gets through once it is over", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await using store = await openSqliteStore({ path, busyTimeoutMs: 50 });
    const { head } = await store.read();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.commit(head, [{ kind: "thing", key: "a", value: 1 }])).rejects.toEqual(UNAVAILABLE);
    expect((await store.read()).head).toEqual(head);
    other.exec("ROLLBACK");
    other.close();
    await expect(store.commit(head, [{ kind: "thing", key: "a", value: 1 }])).resolves.toMatchObject({
      revision: 1,
    });
  });

  it("leaves nothing half written when the file is full, and smaller commits go on", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await using store = await openSqliteStore({ path, maxBytes: 131_072 });
    const { head } = await store.read();
    const big = Array.from({ length: 100 }, (_, index) => ({
      kind: "thing",
      key: `k${index}`,
      value: "x".repeat(4_000),
    }));
    await expect(store.commit(head, big)).rejects.toEqual(UNAVAILABLE);
    expect(await store.read()).toEqual({ head, records: [] });
    await expect(store.commit(head, big.slice(0, 2))).resolves.toMatchObject({ revision: 1 });
  });

  it("is not acknowledged when its file was removed while open", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await using store = await openSqliteStore({ path });
    const { head } = await store.read();
    await Promise.all(["", "-wal", "-shm"].map((suffix) => rm(`${path}${suffix}`, { force: true })));
    await expect(store.commit(head, [{ kind: "thing", key: "a", value: 1 }])).rejects.toMatchObject({
      code: "STORE_REGRESSED",
      facts: { known: head, found: null },
    });
  });
});

describe("a damaged record", () => {
  const damage = (path: string, key: string): void => {
    editing(path, (database) => {
      database.prepare("UPDATE records SET value = replace(value, '1', '7') WHERE key = ?").run(key);
    });
  };

  it("is given out from the history as it was committed, and named", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await using store = await openSqliteStore({ path });
    const first = await store.commit((await store.read()).head, [
      { kind: "thing", key: "a", value: 1 },
      { kind: "thing", key: "b", value: 1 },
    ]);
    damage(path, "a");
    const { records, head } = await store.read();
    expect(head).toEqual(first);
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    expect(store.problems()).toEqual([expect.objectContaining({ kind: "thing", key: "a", recovered: true })]);
    await store.commit(head, [{ kind: "thing", key: "a", value: 2 }]);
    await store.read();
    expect(store.problems()).toEqual([]);
  });

  it("is left out and never written over once the history is too short to prove it; the others go on", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await using store = await openSqliteStore({ path, historyCommits: 2 });
    let { head } = await store.read();
    head = await store.commit(head, [{ kind: "thing", key: "a", value: 1 }]);
    for (let value = 0; value < 5; value += 1) {
      head = await store.commit(head, [{ kind: "thing", key: "b", value }]);
    }
    damage(path, "a");
    const { records } = await store.read();
    expect(records.map(({ key }) => key)).toEqual(["b"]);
    expect(store.problems()).toEqual([expect.objectContaining({ key: "a", recovered: false })]);
    const halfWay = [
      { kind: "thing", key: "b", value: 8 },
      { kind: "thing", key: "a", value: 2 },
    ];
    await expect(store.commit(head, halfWay)).rejects.toMatchObject({
      code: "RECORD_CORRUPT",
      facts: { kind: "thing", key: "a" },
    });
    expect(await store.read()).toEqual({ head, records });
    await expect(store.commit(head, [{ kind: "thing", key: "b", value: 9 }])).resolves.toMatchObject({
      revision: 7,
    });
    editing(path, (database) => {
      expect(database.prepare("SELECT value FROM records WHERE key = 'a'").get()).toEqual({ value: "7" });
    });
  });

  it("in the history means resync, not a false story", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    await using store = await openSqliteStore({ path });
    const { head } = await store.read();
    const first = await store.commit(head, [{ kind: "thing", key: "a", value: 1 }]);
    await store.commit(first, [{ kind: "thing", key: "a", value: 2 }]);
    editing(path, (database) =>
      database.exec("UPDATE commits SET changes = replace(changes, '1', '7') WHERE revision = 1"),
    );
    expect(await store.since(head)).toBe("resync");
    expect(await store.since(first)).toHaveLength(1);
  });
});
