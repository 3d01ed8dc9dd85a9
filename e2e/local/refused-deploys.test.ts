import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LocalCluster } from "../support/local-cluster.ts";
import { processesOf } from "../support/processes.ts";

describe("deploys of functions that cannot serve", () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.up();
    await cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged" });
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it.each([
    ["raises", "PREFLIGHT_FAILED", "ValueError"],
    ["wrong_length", "BAD_OUTPUT", "1"],
    ["misses_module", "MODULE_MISSING", "no_such_module_anywhere"],
    ["cannot_be_pickled", "NOT_PICKLABLE", "_lock"],
    ["is_not_there", "FUNCTION_NOT_FOUND", "is_not_there"],
  ])("%s: exits in time, names the cause, and leaves what served", async (name, code, cause) => {
    const processes = processesOf(cluster.scratch.directory).length;
    const { stderr, seconds } = await cluster.fails(
      1,
      ...cluster.deployArguments(`broken.py:${name}`, {
        model: "tagged",
        version: "2",
        sample: "[1]",
        output: "json",
      }),
    );
    expect(seconds).toBeLessThan(30);
    const { error } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as {
      error: { code: string; message: string };
    };
    expect(error.code).toBe(code);
    expect(error.message).toContain(cause);
    expect(await cluster.predict("tagged", [9])).toMatchObject({ output: { v: "1", id: 9 }, default: false });
    expect((await cluster.status()).models.map(({ version }) => version)).toEqual(["1"]);
    expect(processesOf(cluster.scratch.directory).length).toBe(processes);
  });

  it("refuses an endpoint with an objective below what the function takes, and registers no application for it", async () => {
    const { stderr } = await cluster.fails(
      4,
      ...cluster.deployArguments("slow_tagged.py:predict", {
        model: "slow",
        app: "too-fast",
        "slo-ms": "5",
        sample: "[1]",
      }),
    );
    expect(stderr).toContain("SLO_BELOW_FLOOR");
    expect((await cluster.status()).applications.map(({ name }) => name)).toEqual(["tagged"]);
    await cluster.clipper("model", "stop", "slow");
  });

  it("refuses other content under the same version before anything is done, and another input type", async () => {
    const other = await cluster.fails(
      4,
      ...cluster.deployArguments("tagged.py:v2", { model: "tagged", version: "1" }),
    );
    expect(other.stderr).toContain("VERSION_EXISTS");
    const typed = await cluster.fails(
      4,
      ...cluster.deployArguments("tagged.py:v2", { model: "tagged", version: "2", "input-type": "strings" }),
    );
    expect(typed.stderr).toContain("INPUT_TYPE_MISMATCH");
    expect(await cluster.predict("tagged", [9])).toMatchObject({ output: { v: "1" } });
  });
});
