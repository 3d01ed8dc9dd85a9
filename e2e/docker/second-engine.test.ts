import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SecondEngine, secondEngineAbsence } from "../environment/docker/second-engine.ts";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";
import { processesOf } from "../support/processes.ts";

const absence = engineAbsence("docker") ?? secondEngineAbsence();

function docker(env: Record<string, string>, ...words: string[]) {
  return spawnSync("docker", words, { encoding: "utf8", env: { ...process.env, ...env }, timeout: 60_000 });
}

describe.skipIf(absence)(`an engine of a test's own${absence === undefined ? "" : ` (${absence})`}`, () => {
  let engine: SecondEngine;
  beforeAll(async () => {
    engine = await SecondEngine.start();
  });
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
    expect(existsSync(engine.directory)).toBe(false);
  });

  it("answers on its socket, and on TCP to those who have a certificate", () => {
    const dataOf = (env: Record<string, string>) =>
      docker(env, "info", "--format", "{{.DockerRootDir}}").stdout;
    expect(dataOf(engine.environment())).toBe(dataOf(engine.environment("tls")));
    expect(dataOf(engine.environment())).not.toBe(dataOf({}));
    expect(docker({ DOCKER_HOST: engine.tcpHost }, "version").status).not.toBe(0);
  });

  it("runs containers that reach each other by name, and keeps its images over a restart", async () => {
    const { base } = testImages();
    expect(await engine.copyImage(base)).toMatchObject({ status: 0 });
    await engine.stop();
    await engine.start();
    engine.docker("network", "create", "friends");
    const serve = ["--detach", "--network", "friends", "--name", "server", "--init", base];
    engine.docker("run", ...serve, "python3", "-m", "http.server", "8000");
    const fetching = `
import time, urllib.request
for _ in range(50):
    try:
        print(urllib.request.urlopen("http://server:8000/", timeout=2).status)
        break
    except OSError:
        time.sleep(0.1)
`;
    const { stdout, stderr } = engine.docker(
      "run",
      "--rm",
      "--network",
      "friends",
      base,
      "python3",
      "-c",
      fetching,
    );
    expect(stdout, stderr).toBe("200\n");
  });

  it("starts again after it was killed, and leaves nothing even when it was not", async () => {
    const { base } = testImages();
    await using killed = await SecondEngine.start();
    await killed.copyImage(base);
    // As the first process of a container it would not hear SIGTERM.
    const sleeper = ["--detach", "--restart", "unless-stopped", "--network", "none", "--stop-signal", "KILL"];
    killed.docker("run", ...sleeper, base, "sleep", "600");
    await killed.kill();
    expect(killed.docker("info").status).not.toBe(0);
    await killed.start();
    expect(killed.docker("ps", "--all", "--quiet").stdout).not.toBe("");
    await killed.kill();
    await killed[Symbol.asyncDispose]();
    expect(processesOf(killed.directory)).toEqual([]);
  });

  it("is full when its disk is", async () => {
    await using small = await SecondEngine.start({ diskBytes: 64 << 20 });
    const { status, stderr } = await small.copyImage(testImages().base);
    expect(status).not.toBe(0);
    expect(stderr).toContain("no space left on device");
  });
});
