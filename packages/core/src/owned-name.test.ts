import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isForsaken, ownedName } from "./owned-name.js";

describe("a name that tells its owner", () => {
  /** @returns this process's name for something, changed to tell another process */
  async function nameOf(pid: number, startedAt?: string): Promise<string> {
    const [prefix, host, _pid, started, random] = (await ownedName("x")).split(".");
    return [prefix, host, pid, startedAt ?? started, random].join(".");
  }

  it("is not forsaken while its process lives", async () => {
    expect(await isForsaken(await ownedName("x"))).toBe(false);
  });

  it("is forsaken when its process has ended", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    const pid = child.pid ?? 0;
    await once(child, "close");
    expect(await isForsaken(await nameOf(pid))).toBe(true);
  });

  it.runIf(process.platform === "linux")("is forsaken when another process has its number now", async () => {
    expect(await isForsaken(await nameOf(process.pid, "1"))).toBe(true);
  });

  it("is not forsaken when its owner is on another machine", async () => {
    const name = (await nameOf(1)).replace(/\.[0-9a-f]{8}\./, ".00000000.");
    expect(await isForsaken(name)).toBe(false);
  });

  it("says nothing of what has no owner", async () => {
    expect(await isForsaken("0".repeat(64))).toBe(false);
  });
});
