import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { JsonCache } from "./json-cache.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "json-cache-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("remembers, and forgets what was damaged", async () => {
  const cache = new JsonCache<{ bytes: number }>(directory);
  await cache.put("a/key", { bytes: 1 });
  expect(await cache.get("a/key")).toEqual({ bytes: 1 });
  const [file = ""] = readdirSync(directory);
  writeFileSync(path.join(directory, file), "{");
  expect(await cache.get("a/key")).toBeUndefined();
});

it("that cannot be written only remembers nothing", async () => {
  writeFileSync(path.join(directory, "file"), "");
  const cache = new JsonCache<{ bytes: number }>(path.join(directory, "file", "cache"));
  await cache.put("key", { bytes: 1 });
  expect(await cache.get("key")).toBeUndefined();
});
