import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { isAlive, processIdentity, signalProcess } from "../process-identity.js";
import { endLeftovers } from "./leftovers.js";

const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function startProcess(script: string): Promise<ReturnType<typeof spawn>> {
  const child = spawn(process.execPath, ["-e", `${script}; console.log("up"); setInterval(() => 0, 1000)`], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  await once(child.stdout!, "data");
  return child;
}

it("ends a process that is the one recorded, by SIGKILL where SIGTERM is ignored", async () => {
  const child = await startProcess('process.on("SIGTERM", () => 0)');
  const identity = processIdentity(child.pid!)!;
  await endLeftovers([identity], 200);
  expect(isAlive(identity)).toBe(false);
});

it("leaves alone a process that was given the number of the one recorded", async () => {
  const child = await startProcess("");
  const recorded = { pid: child.pid!, startTime: `${processIdentity(child.pid!)!.startTime}0` };
  expect(isAlive(recorded)).toBe(false);
  await endLeftovers([recorded], 200);
  expect(signalProcess(recorded, "SIGKILL", "group")).toBe(false);
  expect(isAlive(processIdentity(child.pid!)!)).toBe(true);
});

it("tells a process that has ended from one that lives, also before its parent has asked for its end", async () => {
  const child = await startProcess("");
  const identity = processIdentity(child.pid!)!;
  expect(isAlive(identity)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isAlive(identity)).toBe(false);
  expect(processIdentity(2 ** 30)).toBeUndefined();
});
