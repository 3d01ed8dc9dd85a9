import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LocalCluster } from "../support/local-cluster.ts";

describe("an endpoint on plain processes, from the shell", () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.up();
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it("answers the default, with its reason, before a model is there", async () => {
    await cluster.clipper(
      "app",
      "create",
      "empty",
      "--input-type",
      "doubles",
      "--default-output",
      "-1",
      "--slo-ms",
      "100",
    );
    expect(await cluster.predict("empty", [1])).toMatchObject({
      output: -1,
      default: true,
      default_reason: "no_link",
      default_explanation: "No connected models found for query",
    });
  });

  it("answers a model's predictions after one deploy, and tells that a second of the same is no change", async () => {
    const deploy = () =>
      cluster.deploy("tagged.py:v1", { model: "tagged", app: "tagged", sample: "[7]", output: "json" });
    expect(JSON.parse((await deploy()).stdout)).toMatchObject({
      model: "tagged",
      version: "1",
      unchanged: false,
      app: "tagged",
    });
    expect(await cluster.predict("tagged", [41])).toMatchObject({
      output: { v: "1", id: 41 },
      default: false,
    });
    expect(JSON.parse((await deploy()).stdout)).toMatchObject({ unchanged: true });
  });

  it("prints the body of single and batch predictions, from an argument and from a file", async () => {
    const { stdout } = await cluster.clipper("predict", "tagged", "--data", "[5]");
    expect(JSON.parse(stdout)).toMatchObject({ output: { v: "1", id: 5 }, default: false });
    const batch = await cluster.clipper("predict", "tagged", "--batch", "--data", "[[1],[2],[3]]");
    const { batch_predictions } = JSON.parse(batch.stdout) as {
      batch_predictions: { output: { id: number } }[];
    };
    expect(batch_predictions.map(({ output }) => output.id)).toEqual([1, 2, 3]);
  });

  it("shows what runs", async () => {
    const status = await cluster.status();
    expect(status).toMatchObject({ cluster: "e2e", manager: "local", endpoints: { query: cluster.query } });
    expect(status.models).toMatchObject([
      {
        name: "tagged",
        version: "1",
        current: true,
        replicas: [{ state: "serving", restarts: 0, exitCode: null, reason: null }],
      },
    ]);
  });

  it("takes another version, scales it, rolls back, and stops one", async () => {
    await cluster.deploy("tagged.py:v2", { model: "tagged", version: "2", sample: "[7]" });
    expect(await cluster.predict("tagged", [1])).toMatchObject({ output: { v: "2" } });
    await cluster.clipper("model", "scale", "tagged", "2", "3");
    expect((await cluster.status()).models.find(({ version }) => version === "2")?.replicas).toHaveLength(3);
    expect(JSON.parse((await cluster.clipper("model", "rollback", "tagged", "-o", "json")).stdout)).toEqual({
      model: "tagged",
      version: "1",
    });
    expect(await cluster.predict("tagged", [1])).toMatchObject({ output: { v: "1" } });
    await cluster.clipper("model", "stop", "tagged", "2");
    expect((await cluster.status()).models.map(({ version }) => version)).toEqual(["1"]);
  });

  it("tells replicas' log lines", async () => {
    const { stdout } = await cluster.clipper("logs", "--model", "tagged", "-o", "json");
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { instance: string; text: string });
    expect(lines.length).toBeGreaterThan(0);
    expect(new Set(lines.map(({ instance }) => instance)).size).toBe(1);
  });

  it("ends quietly when its reader has gone, and with 130 when it is interrupted while it follows", async () => {
    const unread = cluster.start("logs");
    unread.child.stdout?.destroy();
    expect(await unread.outcome).toMatchObject({ code: 0, stderr: "" });
    const following = cluster.start("logs", "--follow");
    following.child.stdout?.once("data", () => following.child.kill("SIGINT"));
    expect(await following.outcome).toMatchObject({ code: 130, stderr: "" });
  });

  it("comes back from down as it was", async () => {
    await cluster.clipper("down");
    await cluster.fails(6, "status");
    await cluster.up();
    expect(await cluster.predict("tagged", [3])).toMatchObject({ output: { v: "1", id: 3 }, default: false });
  });

  it.each([
    [2, ["app", "create", "Bad_Name", "--input-type", "doubles"]],
    [2, ["app", "create", "x"]],
    [2, ["nonsense"]],
    [3, ["predict", "nobody", "--data", "[1]"]],
    [3, ["model", "rollback", "nobody"]],
    [3, ["status", "--cluster", "nowhere"]],
    [4, ["app", "create", "empty", "--input-type", "doubles"]],
    [2, ["predict", "empty", "--data", '["text"]']],
  ])("exits with %i for %j, and says why on stderr only", async (code, args) => {
    const outcome = await cluster.start(...args).outcome;
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: "" });
    expect(outcome.stderr).not.toBe("");
  });
});
