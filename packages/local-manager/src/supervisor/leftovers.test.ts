import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { isAlive, processIdentity, signalProcess } from "../process-identity.js";
import { endLeftovers } from "./leftovers.js";

const PATIENCE = { timeout: 10_000 };
const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function startProcess(script: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ["-e", `${script}; console.log("up"); setInterval(() => 0, 1000)`], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  const [said] = (await once(child.stdout!.setEncoding("utf8"), "data")) as [string];
  return Object.assign(child, { said: said.split("\n")[0] });
}

it("ends a process that is the one recorded, by SIGKILL where SIGTERM is ignored", async () => {
  const child = await startProcess('process.on("SIGTERM", () => 0)');
  const identity = processIdentity(child.pid!)!;
  await endLeftovers([identity], { cluster: "c", graceMs: 200 });
  expect(isAlive(identity)).toBe(false);
});

/** Says the number of a child that outlives it. */
const PARENT = `const child = require("node:child_process").spawn("sleep", ["60"], { stdio: "ignore" }); console.log(child.pid);`;

it("ends what a process that ended by itself at SIGTERM left in its group", async () => {
  const parent = await startProcess(PARENT);
  const child = processIdentity(Number(parent.said))!;
  await endLeftovers([processIdentity(parent.pid!)!], { cluster: "c", graceMs: 2_000 });
  await expect.poll(() => isAlive(child), PATIENCE).toBe(false);
});

it("ends what a process that has ended before left in its group, and nothing that is not of the cluster", async () => {
  const ours = await startProcess(PARENT, { CLIPPER_CLUSTER: "c" });
  const theirs = await startProcess(PARENT);
  const recorded = [ours, theirs].map(({ pid }) => processIdentity(pid!)!);
  const [left, alone] = [ours, theirs].map(({ said }) => processIdentity(Number(said))!);
  for (const parent of [ours, theirs]) {
    parent.kill("SIGKILL");
    await once(parent, "exit");
  }
  await endLeftovers(recorded, { cluster: "c", graceMs: 2_000 });
  await expect.poll(() => isAlive(left!), PATIENCE).toBe(false);
  expect(isAlive(alone!)).toBe(true);
  process.kill(alone!.pid, "SIGKILL");
});

it("leaves alone a process that was given the number of the one recorded", async () => {
  const child = await startProcess("");
  const recorded = { pid: child.pid!, startTime: `${processIdentity(child.pid!)!.startTime}0` };
  expect(isAlive(recorded)).toBe(false);
  await endLeftovers([recorded], { cluster: "c", graceMs: 200 });
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
