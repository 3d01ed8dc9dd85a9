import { type ContainerManager, ManagerError } from "@clipper-serving/core";
import { describe, expect, it } from "vitest";
import { managerCheck } from "./manager-check.js";

describe("managerCheck", () => {
  const opened = (facts: ContainerManager["facts"]) => async () => ({
    manager: { facts, [Symbol.asyncDispose]: async () => {} } as unknown as ContainerManager,
    origin: { module: "", options: {} },
  });

  it("tells what the platform says of itself", async () => {
    const open = opened(async () => ({
      platforms: ["linux/arm64"],
      pythons: [],
      gpus: 2,
      versions: { docker: "27.1.0", api: "1.46" },
    }));
    expect(await managerCheck("docker", open)).toEqual({
      name: "docker",
      state: "ok",
      evidence: "docker 27.1.0, api 1.46, linux/arm64, 2 GPUs",
    });
  });

  it("fails with the platform's own reason, and what to do about it", async () => {
    const open = opened(() => {
      throw new ManagerError({ manager: "docker", code: "GONE", message: "no engine", hint: "start it" });
    });
    expect(await managerCheck("docker", open)).toEqual({
      name: "docker",
      state: "failed",
      evidence: "no engine [GONE]",
      fix: "start it",
    });
  });

  it("hides no mistake of its own", async () => {
    const mistake = new TypeError("undefined is not a function");
    await expect(managerCheck("docker", () => Promise.reject(mistake))).rejects.toBe(mistake);
  });
});
