import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answering, FrontendHarness, sumDoubles } from "./test-support/frontend-harness.js";
import { applicationRecord, put, versionRecord } from "./test-support/records.js";

let harness: FrontendHarness;

beforeEach(async () => {
  harness = await FrontendHarness.start();
});

afterEach(() => harness[Symbol.asyncDispose]());

const knows = async (name: string): Promise<boolean> =>
  (await harness.predict({ input: [1] }, name)).status === 200;

describe("following the management frontend", () => {
  it("takes a stream that broke up again from where it was", async () => {
    harness.management.commit(put.application(applicationRecord("a")));
    await expect.poll(() => knows("a")).toBe(true);
    harness.management.endStreams();
    await expect.poll(() => harness.management.watched.length).toBe(2);
    const { epoch, revision, hash } = harness.management.head;
    expect(harness.management.watched.at(-1)).toBe(
      `?${new URLSearchParams({ epoch, revision: String(revision), hash })}`,
    );
    harness.management.commit(put.application(applicationRecord("b")));
    await expect.poll(() => knows("b")).toBe(true);
  });

  it("learns of what it missed while the stream was broken", async () => {
    harness.management.endStreams();
    harness.management.commit(put.application(applicationRecord("a")));
    await expect.poll(() => knows("a")).toBe(true);
  });

  it("gives up a stream on which nothing comes, and tries another", async () => {
    harness.management.beats = false;
    await expect.poll(() => harness.management.watched.length, { timeout: 5_000 }).toBeGreaterThan(1);
    expect(harness.logLines.map(({ msg }) => msg)).toContain(
      "not following the management frontend: trying again",
    );
  });

  it("never applies a store that has lost something, says so, and goes on once it has all again", async () => {
    harness.management.commit(put.application(applicationRecord("a")));
    await expect.poll(() => knows("a")).toBe(true);
    const kept = harness.management.records();
    harness.management.become({ epoch: "e2", revision: 0 }, []);
    await expect
      .poll(async () => (await harness.metrics()).get("clipper_state_regressions_total"))
      .toBeGreaterThan(0);
    expect(await knows("a")).toBe(true);
    expect(harness.logLines).toContainEqual(expect.objectContaining({ code: "STORE_REGRESSED", level: 50 }));
    harness.management.become({ epoch: "e3", revision: 1 }, kept);
    harness.management.commit(put.application(applicationRecord("b")));
    await expect.poll(() => knows("b")).toBe(true);
    expect(await knows("a")).toBe(true);
  });

  it("follows a store that has taken the place of the one it knows, though it lacks something", async () => {
    harness.management.commit(
      put.application(applicationRecord("a")),
      put.application(applicationRecord("b")),
    );
    await expect.poll(() => knows("b")).toBe(true);
    const [kept] = harness.management.records();
    const origin = { succeeds: [{ epoch: "e1", revision: 1 }], left: [] };
    harness.management.become({ epoch: "e2", revision: 1 }, [
      kept!,
      { kind: "origin", key: "origin", value: origin, revision: 1 },
    ]);
    await expect.poll(() => knows("b")).toBe(false);
    expect(await knows("a")).toBe(true);
    expect((await harness.metrics()).get("clipper_state_regressions_total")).toBe(0);
  });

  it("sends the state it serves by to a management frontend that lacks it, and only then", async () => {
    const version = put.version(versionRecord("m", "1"));
    const workload = { kind: "workload", key: "w", value: { id: "w" } };
    harness.management.commit(put.application(applicationRecord("a")), version, workload);
    await expect.poll(() => harness.management.reports.at(-1)?.head?.revision).toBe(1);
    expect(harness.management.snapshots).toEqual([]);
    harness.management.snapshotWanted = true;
    await expect
      .poll(() => harness.management.snapshots.at(-1), { timeout: 3_000 })
      .toEqual({
        head: harness.management.head,
        records: [
          expect.objectContaining({ kind: "application", key: "a" }),
          expect.objectContaining({ kind: "version", key: "m:1" }),
          expect.objectContaining({ kind: "workload", key: "w" }),
        ],
      });
  });

  it("leaves out a record it cannot serve by, and serves the others", async () => {
    harness.management.commit(
      { kind: "application", key: "odd", value: { name: "odd", latencySloMicros: "soon" } },
      { kind: "version", key: "odd:1", value: null },
      put.application(applicationRecord("strange", { policy: "nobody-has-it" })),
      put.application(applicationRecord("a")),
    );
    await expect.poll(() => knows("a")).toBe(true);
    expect((await harness.predict({ input: [1] }, "odd")).status).toBe(404);
    expect((await harness.predict({ input: [1] }, "strange")).body).toMatchObject({
      default_reason: "no_link",
    });
  });

  it("does not serve by a snapshot on disk that is damaged", async () => {
    harness.management.commit(put.application(applicationRecord("a")));
    const path = join(harness.directory, "state-snapshot.json");
    await expect.poll(async () => (await readFile(path, "utf8")).includes('"name":"a"')).toBe(true);
    await harness.frontend.stop();
    await writeFile(path, `${await readFile(path, "utf8")}x`);
    const second = await harness.another();
    expect((await second.call("GET", "/readyz")).status).toBe(503);
    expect((await second.predict({ input: [1] })).body.code).toBe("NOT_READY");
    await second.frontend.stop(0);
  });
});

describe("coming back", () => {
  it("serves by the snapshot on disk with the management frontend away, once the replicas are back", async () => {
    await harness.serve(sumDoubles);
    await harness.frontend.stop();
    const second = await harness.another();
    try {
      await second.until("/readyz", 200);
      expect((await second.predict({ input: [1, 2] })).body).toMatchObject({ output: 3, default: false });
      const metrics = await second.metrics();
      expect(metrics.get("clipper_management_connected")).toBe(0);
      expect(metrics.get("clipper_default_answers_total")).toBeUndefined();
    } finally {
      await second.frontend.stop(0);
    }
  });

  it("is not ready before the replicas it should have are back", async () => {
    await harness.serve(sumDoubles);
    await harness.frontend.stop();
    const second = await harness.another({ rpcElsewhere: true });
    try {
      const answer = await second.call("GET", "/readyz");
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body).cause).toBe("waiting for a replica of m:1");
    } finally {
      await second.frontend.stop(0);
    }
  });
});

describe("stopping", () => {
  it("answers what is under way, with Connection: close, and takes no more", async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    harness.management.commit(
      put.application(applicationRecord("a", { model: "m" })),
      put.model("m", "1"),
      put.version(versionRecord("m", "1")),
    );
    const answer = answering(sumDoubles);
    harness.replica({ model: "m", version: "1", handler: (items) => held.then(() => answer(items)) });
    await harness.until("/a/readyz", 200);
    const caller = await harness.client();
    const body = '{"input":[1,2]}';
    caller.send(
      `POST /a/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await expect.poll(async () => (await harness.metrics()).get("clipper_queries_in_flight")).toBe(1);
    const probe = await harness.client();
    const stopped = harness.frontend.stop();
    probe.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await probe.answer()).toMatchObject({ status: 503, headers: { connection: "close" } });
    release();
    expect(await caller.answer()).toMatchObject({
      status: 200,
      headers: { connection: "close" },
      body: expect.stringContaining('"output":3,'),
    });
    caller.socket.end();
    probe.socket.end();
    await stopped;
    await harness.frontend.stop();
  });

  it("waits no longer than it was told", async () => {
    harness.management.commit(
      put.application(applicationRecord("a", { model: "m", latencySloMicros: 60_000_000 })),
      put.model("m", "1"),
      put.version(versionRecord("m", "1")),
    );
    harness.replica({ model: "m", version: "1", handler: () => new Promise(() => undefined) });
    await harness.until("/a/readyz", 200);
    const caller = await harness.client();
    caller.send('POST /a/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n{"input":[1]}');
    await expect.poll(async () => (await harness.metrics()).get("clipper_queries_in_flight")).toBe(1);
    const started = performance.now();
    await harness.frontend.stop(300);
    expect(performance.now() - started).toBeLessThan(3_000);
    await caller.close();
  });
});
