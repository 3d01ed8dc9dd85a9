import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Writable } from "node:stream";
import { expect, it } from "vitest";
import { watchLifeline } from "./lifeline.js";

const SOURCE = new URL("lifeline.ts", import.meta.url).href;

/** A program that says when it watches, and when its platform is gone. */
function watcher(keepAlive: string) {
  const script = `
    import { watchLifeline } from ${JSON.stringify(SOURCE)};
    ${keepAlive}
    watchLifeline(3, () => { console.log("gone"); process.exit(0); });
    console.log("watching");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  return { child, exited: once(child, "close"), stdout: child.stdout!.setEncoding("utf8") };
}

it("calls back when the other end of the descriptor is gone", async () => {
  const { child, exited, stdout } = watcher("setInterval(() => 0, 1000);");
  let said = "";
  stdout.on("data", (text: string) => {
    said += text;
  });
  await expect.poll(() => said, { timeout: 10_000 }).toBe("watching\n");
  (child.stdio[3] as Writable).destroy();
  expect(await exited).toEqual([0, null]);
  expect(said).toBe("watching\ngone\n");
});

it("does not keep a process alive that has nothing else to do", async () => {
  expect(await watcher("").exited).toEqual([0, null]);
});

it("throws for a descriptor that is not open", () => {
  const descriptor = openSync(devNull, "r");
  closeSync(descriptor);
  expect(() => watchLifeline(descriptor, () => undefined)).toThrow();
});
