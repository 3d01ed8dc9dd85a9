import type { StateHead } from "@clipper-serving/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRedisStore, type RedisStoreOptions } from "./redis.js";
import { RedisServer, redisAbsence } from "./test-support/redis-server.js";

const absence = redisAbsence();
const put = (key: string, value: unknown) => ({ kind: "thing", key, value });

describe.skipIf(absence)(`what lies in Redis${absence === undefined ? "" : ` (${absence})`}`, () => {
  let server: RedisServer;
  let prefix = "";
  let stores = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(() => server?.[Symbol.asyncDispose]());

  const open = (options: Partial<RedisStoreOptions> = {}) => {
    stores += 1;
    prefix = `damage-${stores}:`;
    return openRedisStore({ url: server.url, prefix, ...options });
  };
  /** Turns each 1 of a record's value into a 7, as a flipped bit of the file would. */
  const damage = async (key: string) => {
    const name = JSON.stringify(["thing", key]);
    const text = await server.command("HGET", `${prefix}records`, name);
    const value = text.replace(/(?<= \d+ ).*$/, (json) => json.replaceAll("1", "7"));
    expect(value).not.toBe(text);
    await server.command("HSET", `${prefix}records`, name, value);
  };

  it("a store that is destroyed takes its own keys only, is gone for whoever has it open, and can be made anew", async () => {
    await using store = await open();
    await using other = await openRedisStore({ url: server.url, prefix: `${prefix}more:` });
    await store.commit((await store.read()).head, [put("a", 1)]);
    const { head } = await other.read();
    await server.command("SET", `${prefix}theirs`, "1");
    await store.destroy?.();
    expect((await server.command("KEYS", `${prefix}*`)).split("\n").sort()).toEqual([
      `${prefix}more:head`,
      `${prefix}theirs`,
    ]);
    expect((await other.read()).head).toEqual(head);
    await expect(store.read()).rejects.toMatchObject({ code: "STORE_REGRESSED" });
    await store.destroy?.();
    await using anew = await openRedisStore({ url: server.url, prefix });
    expect((await anew.read()).head.revision).toBe(0);
  });

  it("what is no store of ours is not destroyed", async () => {
    await using store = await open();
    await server.command("SET", `${prefix}head`, "theirs");
    await store.destroy?.();
    expect(await server.command("GET", `${prefix}head`)).toBe("theirs");
  });

  it("a damaged record is given out from the history as it was committed, and named, until it is committed anew", async () => {
    await using store = await open();
    const head = await store.commit((await store.read()).head, [put("a", 1), put("b", 1)]);
    await damage("a");
    const snapshot = await store.read();
    expect(snapshot.head).toEqual(head);
    expect(new Map(snapshot.records.map(({ key, value }) => [key, value]))).toEqual(
      new Map([
        ["a", 1],
        ["b", 1],
      ]),
    );
    expect(store.problems()).toEqual([expect.objectContaining({ kind: "thing", key: "a", recovered: true })]);
    await store.commit(head, [put("a", 2)]);
    expect((await store.read()).records.find(({ key }) => key === "a")?.value).toBe(2);
    expect(store.problems()).toEqual([]);
  });

  it("a damaged record is left out and never written over once the history is too short to prove it; the others go on", async () => {
    await using store = await open({ historyCommits: 2 });
    let { head } = await store.read();
    head = await store.commit(head, [put("a", 1)]);
    for (let value = 2; value < 7; value += 1) head = await store.commit(head, [put("b", value)]);
    await damage("a");
    const { records } = await store.read();
    expect(records.map(({ key }) => key)).toEqual(["b"]);
    expect(store.problems()).toEqual([expect.objectContaining({ key: "a", recovered: false })]);
    await expect(store.commit(head, [put("b", 8), put("a", 2)])).rejects.toMatchObject({
      code: "RECORD_CORRUPT",
      facts: { kind: "thing", key: "a" },
    });
    expect(await store.read()).toEqual({ head, records });
    await expect(store.commit(head, [put("b", 9)])).resolves.toMatchObject({ revision: 7 });
  });

  it("a damaged name is told, and its record is not given out as another", async () => {
    await using store = await open({ historyCommits: 1 });
    let { head } = await store.read();
    for (const key of ["a", "b", "c"]) head = await store.commit(head, [put(key, 1)]);
    const name = JSON.stringify(["thing", "a"]);
    const text = await server.command("HGET", `${prefix}records`, name);
    await server.command("HDEL", `${prefix}records`, name);
    await server.command("HSET", `${prefix}records`, '["thing"x"a"]', text);
    const { records } = await store.read();
    expect(records.map(({ key }) => key).sort()).toEqual(["b", "c"]);
    expect(store.problems()).toHaveLength(1);
  });

  it("damage in the history means resync, not a false story", async () => {
    await using store = await open();
    const { head } = await store.read();
    const first = await store.commit(head, [put("a", 1)]);
    await store.commit(first, [put("a", 2)]);
    const text = await server.command("LINDEX", `${prefix}commits`, "0");
    await server.command("LSET", `${prefix}commits`, "0", text.replace('"value":1', '"value":7'));
    expect(await store.since(head)).toBe("resync");
    expect(await store.since(first)).toHaveLength(1);
  });

  it("a damaged head is said, and nothing is committed on it", async () => {
    await using store = await open();
    const head = await store.commit((await store.read()).head, [put("a", 1)]);
    const text = await server.command("GET", `${prefix}head`);
    await server.command("SET", `${prefix}head`, text.replace(" 1 ", " 9 "));
    const damaged = { code: "STORE_UNAVAILABLE", hint: expect.stringContaining("restore") };
    await expect(store.read()).rejects.toMatchObject(damaged);
    await expect(store.since(head)).rejects.toMatchObject(damaged);
    await expect(store.commit(head, [put("a", 2)])).rejects.toMatchObject(damaged);
  });

  it("keys of a newer version are refused with both versions, and left as they are", async () => {
    await using store = await open();
    const head: StateHead = (await store.read()).head;
    const newer = `clipper-state/2 ${head.epoch} whatever comes`;
    await server.command("SET", `${prefix}head`, newer);
    await expect(openRedisStore({ url: server.url, prefix })).rejects.toMatchObject({
      code: "STORE_SCHEMA_NEWER",
      facts: { found: 2, supported: 1 },
    });
    await expect(store.commit(head, [put("a", 1)])).rejects.toMatchObject({ code: "STORE_SCHEMA_NEWER" });
    expect(await server.command("GET", `${prefix}head`)).toBe(newer);
  });

  it.each([
    ["a text", ["SET", "theirs:head", "hello"], { code: "STORE_FOREIGN" }],
    ["records without a head", ["HSET", "headless:records", "a", "1"], { code: "STORE_FOREIGN" }],
    [
      "another type",
      ["LPUSH", "list:head", "a"],
      { code: "STORE_UNAVAILABLE", hint: expect.stringContaining("prefix") },
    ],
  ])("keys of another program are refused and left alone: %s", async (_what, command, error) => {
    await server.command(...command);
    const before = await server.command("DBSIZE");
    const [, key = ""] = command;
    const theirs = key.slice(0, key.indexOf(":") + 1);
    await expect(openRedisStore({ url: server.url, prefix: theirs })).rejects.toMatchObject(error);
    expect(await server.command("DBSIZE")).toBe(before);
  });

  it("stores under other prefixes know nothing of each other, and many who open one at once open the same", async () => {
    await using one = await open();
    await using other = await open();
    await one.commit((await one.read()).head, [put("a", 1)]);
    expect((await other.read()).records).toEqual([]);
    const handles = await Promise.all(
      Array.from({ length: 8 }, () => openRedisStore({ url: server.url, prefix: "many:" })),
    );
    const epochs = await Promise.all(handles.map(async (store) => (await store.read()).head.epoch));
    expect(new Set(epochs).size).toBe(1);
    await Promise.all(handles.map((store) => store[Symbol.asyncDispose]()));
  });
});

describe("openRedisStore", () => {
  it.each([
    ["no address", { url: "somewhere" }, "url"],
    ["another scheme", { url: "http://:hunter2@127.0.0.1:6379" }, "url"],
    ["no host", { url: "redis:///0" }, "url"],
    ["a password that is not written as addresses have it", { url: "redis://:hunter2%@127.0.0.1" }, "url"],
    ["a database that is no number", { url: "redis://127.0.0.1/state" }, "url"],
    ["no time", { url: "redis://127.0.0.1", commandTimeoutMs: 0 }, "commandTimeoutMs"],
    ["a time that no timer has", { url: "redis://127.0.0.1", commandTimeoutMs: 2 ** 31 }, "commandTimeoutMs"],
    ["no history", { url: "redis://127.0.0.1", historyCommits: 0 }, "historyCommits"],
  ])("refuses %s before it connects, without repeating a password", async (_what, options, argument) => {
    const error = await openRedisStore(options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT", facts: { argument } });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });
});
