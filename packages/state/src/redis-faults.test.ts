import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openRedisStore, type RedisStoreOptions } from "./redis.js";
import { RedisServer, redisAbsence } from "./test-support/redis-server.js";

const absence = redisAbsence();
/** Where nothing is about the time: on a machine with much else to do, a call to a server that is well may take seconds. */
const PATIENT_MS = 30_000;
const put = (key: string, value: unknown) => [{ kind: "thing", key, value }];
const unavailable = (words: RegExp, hint: RegExp = /./) =>
  expect.objectContaining({
    code: "STORE_UNAVAILABLE",
    message: expect.stringMatching(words),
    hint: expect.stringMatching(hint),
  });

const name = `Redis in trouble${absence === undefined ? "" : ` (${absence})`}`;
describe.skipIf(absence)(name, { timeout: 4 * PATIENT_MS }, () => {
  let server: RedisServer;
  let stores = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
  }, PATIENT_MS);

  afterAll(() => server?.[Symbol.asyncDispose]());

  /** A store of the test's own. */
  const open = (options: Partial<RedisStoreOptions> = {}) => {
    stores += 1;
    return openRedisStore({
      url: server.url,
      prefix: `faults-${stores}:`,
      commandTimeoutMs: PATIENT_MS,
      ...options,
    });
  };

  describe("that went away", () => {
    it("says at once where nothing answers, and is used again by the next call after its return", async () => {
      await using store = await open();
      const head = await store.commit((await store.read()).head, put("a", 1));
      await server.down();
      await expect(store.read()).rejects.toEqual(
        unavailable(/could not read/, new RegExp(`127.0.0.1:${server.port}`)),
      );
      await expect(store.commit(head, put("a", 2))).rejects.toEqual(unavailable(/could not commit/));
      await server.up();
      expect((await store.read()).head).toEqual(head);
      await expect(store.commit(head, put("a", 2))).resolves.toMatchObject({ revision: 2 });
    });

    it("has everything after kill -9", async () => {
      await using store = await open();
      const head = await store.commit((await store.read()).head, put("a", 1));
      await server.down("SIGKILL");
      await server.up();
      expect(await store.read()).toMatchObject({ head, records: [{ key: "a", value: 1 }] });
    });

    it("answers nothing: each call ends in its time, and a commit that was under way has happened once or not at all", async () => {
      const prefix = "silent:";
      await using patient = await open({ prefix });
      const { head } = await patient.read();
      const openImpatient = () => open({ prefix, commandTimeoutMs: 200 });
      await using store = await vi.waitFor(openImpatient, { timeout: PATIENT_MS });
      server.suspend();
      try {
        await expect(store.commit(head, put("a", 1))).rejects.toEqual(unavailable(/within 200 ms/));
        // The second call connects anew: the kernel takes the connection, and nobody speaks.
        await expect(store.read()).rejects.toEqual(unavailable(/within 200 ms/));
        await expect(openImpatient()).rejects.toEqual(unavailable(/could not open/));
      } finally {
        server.resume();
      }
      // Once it has answered somebody new, it has done what was waiting for it.
      await server.command("PING");
      const { head: after, records } = await patient.read();
      expect([after.revision, records.length]).toEqual(after.revision === 0 ? [0, 0] : [1, 1]);
      await expect(patient.commit(after, put("a", 2))).resolves.toMatchObject({
        revision: after.revision + 1,
      });
      expect((await vi.waitFor(() => store.read(), { timeout: PATIENT_MS })).head.revision).toBe(
        after.revision + 1,
      );
    });

    it("lets go of a call whose signal fires, with its reason", async () => {
      await using store = await open();
      server.suspend();
      try {
        const controller = new AbortController();
        const reading = store.read({ signal: controller.signal });
        const reason = new TypeError("no longer wanted");
        controller.abort(reason);
        await expect(reading).rejects.toBe(reason);
      } finally {
        server.resume();
      }
      await expect(store.read()).resolves.toMatchObject({ records: [] });
    });

    it("is somebody who speaks something else", async () => {
      const other = createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n"));
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      const { port } = other.address() as { port: number };
      await expect(open({ url: `redis://127.0.0.1:${port}` })).rejects.toEqual(unavailable(/could not open/));
      await new Promise((resolve) => other.close(resolve));
    });
  });

  describe("that lost something", () => {
    it("FLUSHALL is told as a regression to those who knew the store, and never made anew below them", async () => {
      await using store = await open();
      const head = await store.commit((await store.read()).head, put("a", 1));
      await server.command("FLUSHALL");
      expect(await store.since(head)).toBe("resync");
      const regressed = { code: "STORE_REGRESSED", facts: { known: head, found: null } };
      await expect(store.read()).rejects.toMatchObject(regressed);
      await expect(store.commit(head, put("a", 2))).rejects.toMatchObject(regressed);
      expect(await server.command("DBSIZE")).toBe("0");
    });

    it("whoever opens it after a FLUSHALL gets another epoch, by which the others tell", async () => {
      const prefix = "flushed:";
      await using store = await open({ prefix });
      const head = await store.commit((await store.read()).head, put("a", 1));
      await server.command("FLUSHALL");
      await using anew = await open({ prefix });
      expect((await anew.read()).head.epoch).not.toBe(head.epoch);
      expect(await store.since(head)).toBe("resync");
      await expect(store.commit(head, put("a", 2))).rejects.toMatchObject({ code: "HEAD_MISMATCH" });
    });

    it("an older copy of its data has an older head, and nothing is committed on a newer one", async () => {
      await using store = await open();
      const older = await store.commit((await store.read()).head, put("a", 1));
      const copy = await server.backUp();
      const newer = await store.commit(older, put("a", 2));
      await copy.restore();
      expect(await store.since(newer)).toBe("resync");
      expect((await store.read()).head).toEqual(older);
      await expect(store.commit(newer, put("a", 3))).rejects.toMatchObject({ code: "HEAD_MISMATCH" });
      // Another history from there: the head that was lost is never taken for it.
      await store.commit(older, put("a", 4));
      expect(await store.since(newer)).toBe("resync");
    });
  });

  describe("that refuses to write", () => {
    it("OOM: in its own words with a hint, nothing half written, and reading goes on", async () => {
      await using store = await open();
      const head = await store.commit((await store.read()).head, put("a", 1));
      await server.command("CONFIG", "SET", "maxmemory", "1mb");
      const changes = [{ kind: "thing", key: "a" }, ...put("b", "x".repeat(1_000))];
      await expect(store.commit(head, changes)).rejects.toEqual(unavailable(/OOM command/, /maxmemory/));
      expect(await store.read()).toMatchObject({ head, records: [{ key: "a" }] });
      await server.command("CONFIG", "SET", "maxmemory", "0");
      await expect(store.commit(head, changes)).resolves.toMatchObject({ revision: 2 });
    });

    it("READONLY: a replica", async () => {
      await using store = await open();
      const { head } = await store.read();
      await server.command("REPLICAOF", "127.0.0.1", "1");
      await expect(store.commit(head, put("a", 1))).rejects.toEqual(unavailable(/READONLY/, /primary/));
      expect(await store.read()).toEqual({ head, records: [] });
      await server.command("REPLICAOF", "NO", "ONE");
      await expect(store.commit(head, put("a", 1))).resolves.toMatchObject({ revision: 1 });
    });

    it("MISCONF: it cannot save", async () => {
      await using unsaved = await RedisServer.start({ save: "3600 1" });
      await using store = await open({ url: unsaved.url });
      const { head } = await store.read();
      await mkdir(join(unsaved.directory, "dump.rdb", "in-the-way"), { recursive: true });
      await unsaved.command("BGSAVE");
      const persistence = () => unsaved.command("INFO", "persistence");
      await expect.poll(persistence, { timeout: PATIENT_MS }).toMatch(/rdb_last_bgsave_status:err/);
      await expect(store.commit(head, put("a", 1))).rejects.toEqual(unavailable(/MISCONF/, /disk/));
      expect(await store.read()).toEqual({ head, records: [] });
    });
  });

  describe("behind a password", () => {
    const password = "s3cret/pass word%";
    let locked: RedisServer;

    beforeAll(async () => {
      locked = await RedisServer.start({ requirepass: password });
    }, PATIENT_MS);

    afterAll(() => locked?.[Symbol.asyncDispose]());

    it("opens with the right one, given apart or in the address", async () => {
      await using apart = await open({ url: locked.url, password });
      const address = locked.url.replace("//", `//:${encodeURIComponent(password)}@`);
      await using inside = await open({ url: address, prefix: "faults-inside:" });
      expect((await apart.read()).head.revision).toBe(0);
      expect((await inside.read()).head.revision).toBe(0);
    });

    it.each([
      ["none", undefined, /NOAUTH/],
      ["a wrong one", "guess-7f3a", /WRONGPASS/],
    ])("refuses %s in its own words, without the password", async (_what, wrong, words) => {
      const options = wrong === undefined ? {} : { password: wrong };
      const error = await open({ url: locked.url, ...options }).catch((thrown: unknown) => thrown);
      expect(error).toEqual(unavailable(words, /password/));
      const { stack, cause } = error as Error;
      expect(`${stack} ${JSON.stringify(error)} ${(cause as Error).stack}`).not.toContain("guess-7f3a");
    });

    it("can be used by a user of its own who may do no more than a store needs", async () => {
      await locked.command(
        "ACL",
        "SETUSER",
        "clipper",
        "on",
        ">pw",
        "~mine:*",
        "+@read",
        "+@write",
        "+eval",
        "+config|get",
        "+select",
        "+client|setname",
      );
      const url = locked.url.replace("//", "//clipper@");
      await using store = await open({ url, password: "pw", prefix: "mine:" });
      await expect(store.commit((await store.read()).head, put("a", 1))).resolves.toMatchObject({
        revision: 1,
      });
      await expect(open({ url, password: "pw", prefix: "others:" })).rejects.toEqual(
        unavailable(/NOPERM|permission/),
      );
    });

    it("is refused when it does not tell its settings", async () => {
      await locked.command("ACL", "SETUSER", "mute", "on", ">pw", "~*", "+@all", "-config");
      const url = locked.url.replace("//", "//mute@");
      await expect(open({ url, password: "pw" })).rejects.toMatchObject({
        code: "STORE_UNSAFE",
        hint: expect.stringContaining("+config|get"),
      });
    });
  });

  describe("that would lose what it acknowledges", () => {
    it.each([
      ["appendonly", "no"],
      ["appendfsync", "everysec"],
      ["no-appendfsync-on-rewrite", "yes"],
      ["maxmemory-policy", "allkeys-lru"],
    ])("is refused when %s is %s, with what to set, and nothing is written", async (name, value) => {
      await using unsafe = await RedisServer.start({ [name]: value });
      await expect(open({ url: unsafe.url })).rejects.toMatchObject({
        code: "STORE_UNSAFE",
        message: expect.stringContaining(`${name} is ${value}`),
        hint: expect.stringContaining(`--${name} `),
        facts: { settings: { [name]: value } },
      });
      expect(await unsafe.command("DBSIZE")).toBe("0");
    });

    it("is found out when it comes back with other settings", async () => {
      await using changing = await RedisServer.start();
      await using store = await open({ url: changing.url });
      const { head } = await store.read();
      await changing.down();
      await changing.up({ appendfsync: "no" });
      await expect(store.commit(head, put("a", 1))).rejects.toEqual(
        unavailable(/appendfsync is no/, /--appendfsync always/),
      );
      await changing.command("CONFIG", "SET", "appendfsync", "always");
      await expect(store.commit(head, put("a", 1))).resolves.toMatchObject({ revision: 1 });
    });
  });
});
