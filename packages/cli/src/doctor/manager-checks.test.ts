import { ManagerError, type PlatformCheck, type PlatformFacts } from "@clipper-serving/core";
import { describe, expect, it } from "vitest";
import { managerChecks } from "./manager-checks.js";

describe("managerChecks", () => {
  const FACTS = {
    platforms: ["linux/arm64"],
    pythons: [],
    gpus: 2,
    versions: { docker: "27.1.0", api: "1.46" },
  } as const;
  const opened = (facts: () => Promise<PlatformFacts>, checks: readonly PlatformCheck[] = []) => {
    const state = { isClosed: false };
    const open = async () => ({
      facts,
      diagnose: async () => checks,
      close: async () => {
        state.isClosed = true;
      },
    });
    return { open, state };
  };

  it("tells what the platform says of itself, and then of the cluster", async () => {
    const disk: PlatformCheck = { name: "disk", state: "warning", evidence: "1 GiB free", fix: "make room" };
    const { open, state } = opened(async () => FACTS, [disk]);
    expect(await managerChecks({ name: "docker", open })).toEqual([
      { name: "docker", state: "ok", evidence: "docker 27.1.0, api 1.46, linux/arm64, 2 GPUs" },
      disk,
    ]);
    expect(state.isClosed).toBe(true);
  });

  it("fails with the platform's own reason, and what to do about it", async () => {
    const gone = new ManagerError({
      manager: "docker",
      code: "GONE",
      message: "no engine",
      hint: "start it",
    });
    const { open, state } = opened(() => Promise.reject(gone));
    expect(await managerChecks({ name: "docker", open })).toEqual([
      { name: "docker", state: "failed", evidence: "no engine [GONE]", fix: "start it" },
    ]);
    expect(state.isClosed).toBe(true);
  });

  it("hides no mistake of its own", async () => {
    const mistake = new TypeError("undefined is not a function");
    const open = () => Promise.reject(mistake);
    await expect(managerChecks({ name: "docker", open })).rejects.toBe(mistake);
  });
});
