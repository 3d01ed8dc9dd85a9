import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StateHead, WatchEvent } from "@clipper-serving/spec";
import { createMemoryStore, openSqliteStore } from "@clipper-serving/state";
import { ManualClock } from "@clipper-serving/testing";
import { describe, expect, it } from "vitest";
import { eventually } from "../test-support/eventually.js";
import { DIGITS, startFrontend } from "../test-support/frontend.js";
import { unreliable } from "../test-support/unreliable-store.js";
import { openWatch, watch } from "../test-support/watch-reader.js";

const SECOND = 1_000_000;

const commitOf = (name: string) => (event: WatchEvent) =>
  event.type === "commit" && event.commit.changes.some(({ key }) => key === name);
const isBeat = ({ type }: WatchEvent) => type === "beat";

describe("GET /v1/watch", () => {
  it("tells a new reader all there is, then each commit as it happens", async () => {
    await using frontend = await startFrontend();
    await frontend.call("POST", "/v1/applications", { ...DIGITS, name: "before" });
    using reader = await watch(frontend.url);
    expect(await reader.find(({ type }) => type === "snapshot")).toMatchObject({
      snapshot: { head: { revision: 1 }, records: [{ kind: "application", key: "before" }] },
    });
    await frontend.call("POST", "/v1/applications", { ...DIGITS, name: "after" });
    expect(await reader.find(commitOf("after"))).toMatchObject({ commit: { head: { revision: 2 } } });
  });

  it("tells a reader that comes back only what it missed", async () => {
    await using frontend = await startFrontend();
    const head = await headOf(frontend);
    await frontend.call("POST", "/v1/applications", { ...DIGITS, name: "missed" });
    using reader = await watch(frontend.url, head);
    await reader.find(commitOf("missed"));
    expect(reader.events.map(({ type }) => type)).toEqual(["commit"]);
  });

  it("tells a reader that missed nothing so at once", async () => {
    await using frontend = await startFrontend();
    using reader = await watch(frontend.url, await headOf(frontend));
    expect(await reader.find(isBeat)).toMatchObject({ head: { revision: 0 } });
    expect(reader.events).toHaveLength(1);
  });

  it.each<[string, Partial<StateHead>]>([
    ["another epoch", { epoch: "other" }],
    ["a revision that is not there", { revision: 99 }],
    ["another hash", { hash: "0".repeat(64) }],
  ])("tells a reader with %s everything anew", async (_what, change) => {
    await using frontend = await startFrontend();
    await frontend.call("POST", "/v1/applications", DIGITS);
    using reader = await watch(frontend.url, { ...(await headOf(frontend)), ...change });
    await reader.find(({ type }) => type === "snapshot");
    expect(reader.events[0]?.type).toBe("snapshot");
  });

  it.each(["?epoch=a", "?epoch=a&revision=-1&hash=b", "?epoch=a&revision=1&hash=b&hash=c"])(
    "refuses half a head: %s",
    async (query) => {
      await using frontend = await startFrontend();
      const { status, json } = await frontend.call("GET", `/v1/watch${query}`);
      expect([status, json()]).toMatchObject([400, { code: "INVALID_ARGUMENT" }]);
    },
  );

  it("beats every second", async () => {
    const clock = new ManualClock();
    await using frontend = await startFrontend({ clock });
    using reader = await watch(frontend.url, await headOf(frontend));
    await reader.find(isBeat);
    await clock.advanceAsync(3 * SECOND);
    await eventually(() => reader.events.length === 4);
    expect(reader.events.every(isBeat)).toBe(true);
  });

  it("tells within a second what another process committed to the same file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "clipper-mf-"));
    try {
      const path = join(directory, "state.db");
      await using store = await openSqliteStore({ path });
      await using second = await openSqliteStore({ path });
      const clock = new ManualClock();
      await using frontend = await startFrontend({ clock, store });
      using reader = await watch(frontend.url);
      await reader.find(({ type }) => type === "snapshot");
      await using other = await startFrontend({ store: second });
      await other.call("POST", "/v1/applications", { ...DIGITS, name: "elsewhere" });
      await clock.advanceAsync(SECOND);
      await reader.find(commitOf("elsewhere"));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("drops a reader that is too far behind, and no other", async () => {
    const store = createMemoryStore();
    const clock = new ManualClock();
    await using frontend = await startFrontend({ store, clock, maxQueuedBytes: 200_000 });
    using quick = await watch(frontend.url);
    await quick.find(({ type }) => type === "snapshot");
    const slow = await openWatch(`${frontend.url}/v1/watch`);
    const closed = new Promise((resolve) => slow.on("close", resolve));
    const value = "x".repeat(100_000);
    // What the sockets' own buffers take is not counted: tell until it is noticed.
    const isDropped = () => frontend.log.some((line) => line.includes("dropped a watch stream"));
    let told = 0;
    while (!isDropped()) {
      told += 1;
      await store.commit((await store.read()).head, [{ kind: "note", key: `n${told}`, value }]);
      await clock.advanceAsync(SECOND);
      await quick.find(commitOf(`n${told}`));
    }
    slow.resume();
    await closed;
    expect((await frontend.send({ path: "/metrics" })).text).toContain(
      "clipper_management_watch_dropped_total 1",
    );
    expect(quick.ended).toBe(false);
  });

  it("gives all there is to a new reader, though it is more than a reader may be behind", {
    timeout: 60_000,
  }, async () => {
    const store = createMemoryStore();
    const { head } = await store.read();
    const value = { text: "x".repeat(1_000_000) };
    // More than the sockets' own buffers take.
    const changes = Array.from({ length: 12 }, (_, index) => ({ kind: "note", key: `n${index}`, value }));
    const large = await store.commit(head, changes);
    await using frontend = await startFrontend({ store, maxQueuedBytes: 200_000 });
    using fresh = await watch(frontend.url);
    using behind = await watch(frontend.url, head);
    const all = { snapshot: { head: large } };
    expect(await fresh.find(({ type }) => type === "snapshot", 30_000)).toMatchObject(all);
    const missed = { commit: { head: large } };
    expect(await behind.find(({ type }) => type === "commit", 30_000)).toMatchObject(missed);
    await frontend.call("POST", "/v1/applications", { ...DIGITS, name: "after" });
    await Promise.all([fresh, behind].map((reader) => reader.find(commitOf("after"))));
  });

  it("ends a stream that was being opened when the frontend stopped", async () => {
    const store = unreliable(createMemoryStore());
    const frontend = await startFrontend({ store });
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    store.beforeSince = () => {
      asked.resolve();
      return answer.promise;
    };
    const opening = watch(frontend.url);
    await asked.promise;
    const stopped = frontend[Symbol.asyncDispose]();
    answer.resolve();
    using reader = await opening;
    await stopped;
    await eventually(() => reader.ended);
  });

  it("ends the stream when the frontend stops, and the stop does not wait for its reader", async () => {
    const frontend = await startFrontend();
    using reader = await watch(frontend.url);
    await frontend[Symbol.asyncDispose]();
    await eventually(() => reader.ended);
  });

  it("answers 503 while the store is away, and beats on for those that watch", async () => {
    const store = unreliable(createMemoryStore());
    const clock = new ManualClock();
    await using frontend = await startFrontend({ store, clock });
    using reader = await watch(frontend.url);
    await reader.find(({ type }) => type === "snapshot");
    store.down = true;
    const { status, headers, json } = await frontend.call("GET", "/v1/watch");
    expect([status, headers["retry-after"], json()]).toMatchObject([503, "1", { code: "STORE_UNAVAILABLE" }]);
    await clock.advanceAsync(2 * SECOND);
    await reader.find(isBeat);
  });
});

describe("a store that is away", () => {
  it("A40 makes every write a 503 that can be repeated, and readiness false", async () => {
    const store = unreliable(createMemoryStore());
    const clock = new ManualClock();
    await using frontend = await startFrontend({ store, clock });
    store.down = true;
    const refused = await frontend.call("POST", "/v1/applications", DIGITS);
    expect([refused.status, refused.headers["retry-after"], refused.json().code]).toEqual([
      503,
      "1",
      "STORE_UNAVAILABLE",
    ]);
    await clock.advanceAsync(SECOND);
    expect((await frontend.send({ path: "/readyz" })).status).toBe(503);
    expect((await frontend.send({ path: "/healthz" })).status).toBe(200);
    store.down = false;
    await clock.advanceAsync(SECOND);
    expect((await frontend.send({ path: "/readyz" })).status).toBe(200);
    expect((await frontend.call("POST", "/v1/applications", DIGITS)).status).toBe(201);
  });
});

async function headOf(frontend: { call: (method: string, path: string) => Promise<{ json<T>(): T }> }) {
  return (await frontend.call("GET", "/v1/cluster")).json<{ head: StateHead }>().head;
}
