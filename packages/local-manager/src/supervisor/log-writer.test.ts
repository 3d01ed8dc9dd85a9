import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogLine } from "@clipper-serving/spec";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readLogs } from "../log-reader.js";
import { LogTail } from "../log-tail.js";
import { LogWriter } from "./log-writer.js";
import { pruneLogs } from "./prune-logs.js";

let logs: string;
beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), "logs-"));
});
afterEach(() => rmSync(logs, { recursive: true, force: true }));

const path = (instance: string): string => join(logs, "w", `${instance}.log`);

function write(writer: LogWriter, ...texts: string[]): void {
  for (const text of texts) writer.write("stdout", [Buffer.from(text)]);
}

async function texts(source: AsyncIterable<{ text: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of source) found.push(text);
  return found;
}

async function newTexts(tail: LogTail): Promise<string[]> {
  const found: string[] = [];
  for await (const frames of tail.read({ isLast: false })) found.push(...frames.map(({ text }) => text));
  return found;
}

it("keeps the latest lines in three files, and a reader sees each once and in order across rotations", async () => {
  const writer = new LogWriter(path("w-1"), { fileBytes: 200 });
  const tail = new LogTail(path("w-1"));
  const written = Array.from({ length: 60 }, (_, index) => `line ${index}`);
  const seen: string[] = [];
  for (const text of written) {
    write(writer, text);
    seen.push(...(await newTexts(tail)));
  }
  writer.close();
  expect(seen).toEqual(written);
  expect(readdirSync(join(logs, "w")).sort()).toEqual(["w-1.log", "w-1.log.1", "w-1.log.2"]);
  const kept = await texts(readLogs(logs, {}));
  expect(kept.length).toBeGreaterThan(15);
  expect(kept).toEqual(written.slice(-kept.length));
  expect(await texts(readLogs(logs, { tail: 3 }))).toEqual(written.slice(-3));
});

it("catches up in order when the log was rotated several times between two looks", async () => {
  const writer = new LogWriter(path("w-1"), { fileBytes: 200 });
  const tail = new LogTail(path("w-1"));
  write(writer, "first");
  await newTexts(tail);
  const written = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  write(writer, ...written);
  writer.close();
  const seen = await newTexts(tail);
  expect(seen).toEqual(written.slice(-seen.length));
});

it("gives any number of the latest lines, however long they are and in however many files", async () => {
  const writer = new LogWriter(path("w-1"), { fileBytes: 300_000 });
  const written = Array.from(
    { length: 60 },
    (_, index) => `${index} ${"x".repeat((index * 7_919) % 64_000)}`,
  );
  // Several come in one write.
  for (let at = 0; at < written.length; at += 3) {
    writer.write(
      "stdout",
      written.slice(at, at + 3).map((text) => Buffer.from(text)),
    );
  }
  writer.close();
  const kept = await texts(readLogs(logs, {}));
  expect(readdirSync(join(logs, "w"))).toHaveLength(3);
  expect(kept.length).toBeGreaterThan(20);
  for (let tail = 0; tail <= kept.length + 1; tail += 1) {
    expect(await texts(readLogs(logs, { tail }))).toEqual(tail === 0 ? [] : kept.slice(-tail));
  }
  appendFileSync(path("w-1"), "1700000000000 o cut");
  expect(await texts(readLogs(logs, { tail: 2 }))).toEqual([written.at(-1), "cut"]);
  expect(await texts(readLogs(logs, { tail: 0 }))).toEqual([]);
  const following = readLogs(logs, { tail: 1, follow: true })[Symbol.asyncIterator]();
  expect((await following.next()).value).toMatchObject({ text: written.at(-1) });
  appendFileSync(path("w-1"), " off\n");
  expect((await following.next()).value).toMatchObject({ text: "cut off" });
  await following.return?.();
});

it("goes on behind a frame that its writer was killed in, and a reader shows what there is of it", async () => {
  const before = new LogWriter(path("w-1"));
  write(before, "whole");
  before.close();
  appendFileSync(path("w-1"), "1700000000000 e half a li");
  expect(await texts(readLogs(logs, {}))).toEqual(["whole", "half a li"]);
  const after = new LogWriter(path("w-1"));
  write(after, "next");
  after.close();
  appendFileSync(path("w-1"), "17000");
  expect(await texts(readLogs(logs, {}))).toEqual(["whole", "half a li", "next"]);
});

it("tells stream and time of each line, and replaces what is not UTF-8", async () => {
  const writer = new LogWriter(path("w-1"));
  writer.write("stderr", [new Uint8Array([0x61, 0xff])]);
  writer.close();
  const lines: LogLine[] = [];
  for await (const line of readLogs(logs, { id: "w", instance: "w-1" })) lines.push(line);
  expect(lines).toEqual([
    { workload: "w", instance: "w-1", stream: "stderr", text: "a\uFFFD", timeMs: expect.any(Number) },
  ]);
  expect(Math.abs(lines[0]!.timeMs! - Date.now())).toBeLessThan(60_000);
});

it("keeps the logs of ended instances up to a number, and those of living ones", async () => {
  for (let serial = 1; serial <= 5; serial += 1) {
    const writer = new LogWriter(path(`w-${serial}`));
    write(writer, `of ${serial}`);
    writer.close();
  }
  pruneLogs(logs, (instance) => instance === "w-1", 2);
  const kept = readdirSync(join(logs, "w"));
  expect(kept).toHaveLength(3);
  expect(kept).toContain("w-1.log");
  pruneLogs(logs, () => false, 0);
  expect(readdirSync(logs)).toEqual([]);
});
