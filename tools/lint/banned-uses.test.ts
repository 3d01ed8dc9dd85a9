import { parseSync } from "oxc-parser";
import { expect, it } from "vitest";
import { bannedUses } from "./banned-uses.ts";

function reasons(text: string, deterministic = true): string[] {
  return bannedUses(parseSync("file.ts", text), { deterministic }).map(({ reason }) => reason);
}

it.each([
  "const now = Date.now();",
  "const date = new Date(0);",
  "performance.now();",
  "setTimeout(run, 1);",
  "globalThis.setTimeout(run, 1);",
  "const wait = setInterval;",
  "Math.random();",
  "process.hrtime.bigint();",
  "AbortSignal.timeout(5);",
  'import { setTimeout } from "node:timers/promises";',
  'import { performance } from "node:perf_hooks";',
  'import { randomUUID } from "node:crypto";',
])("finds the platform's clock or chance in %s", (text) => {
  expect(reasons(text)).not.toEqual([]);
  expect(reasons(text, false)).toEqual([]);
});

it.each([
  "clock.setTimeout(run, 1);",
  "class ManualClock { setTimeout(run: () => void) {} performance = 1; }",
  "interface Clock { setTimeout(run: () => void, afterMs: number): void; Date: number }",
  "function at(date: Date): void {}",
  "const fields = { Date: 1 };",
  "random.Math; process.env;",
  'import { createHash } from "node:crypto";',
  "pattern.exec(text); queueMicrotask(run);",
])("leaves alone %s", (text) => {
  expect(reasons(text)).toEqual([]);
});

it.each([
  "eval(text);",
  "new Function(text);",
  "Function(text)();",
  "spawn(program, { shell: true });",
  'import { exec } from "node:child_process";',
  'import { execSync as run } from "node:child_process";',
  "childProcess.exec(command);",
])("finds text that is run as code in %s", (text) => {
  expect(reasons(text, false)).not.toEqual([]);
});

it.each([
  "spawn(program, { shell: false });",
  'import { spawn, execFile } from "node:child_process";',
  "run(Function);",
])("accepts %s", (text) => {
  expect(reasons(text, false)).toEqual([]);
});
