import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { ClusterView } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundlePath, version } from "./bundle.js";
import { type BundleProcess, runBundle, startBundle } from "./test-support/bundle-process.js";
import { eventually } from "./test-support/eventually.js";
import { DIGITS, TOKEN } from "./test-support/frontend.js";
import { watch } from "./test-support/watch-reader.js";

let directory: string;
let env: Record<string, string>;

beforeEach(async () => {
  expect(existsSync(bundlePath), `${bundlePath} is built: run \`npm run build\``).toBe(true);
  directory = await mkdtemp(join(tmpdir(), "clipper-mf-"));
  await mkdir(join(directory, "secrets"));
  await writeFile(join(directory, "secrets", "token"), TOKEN, { mode: 0o600 });
  env = {
    CLIPPER_LISTEN_MANAGEMENT: "tcp:127.0.0.1:0",
    CLIPPER_SECRETS: join(directory, "secrets"),
    CLIPPER_VOLUME: directory,
    CLIPPER_CLUSTER: "tests",
    CLIPPER_INSTANCE: "management-frontend-0",
  };
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const start = (change: Record<string, string> = {}) =>
  startBundle({ env: { ...env, ...change }, token: TOKEN });
const create = (frontend: BundleProcess, name: string) =>
  frontend.call("POST", "/v1/applications", { ...DIGITS, name });

async function applicationsOf(frontend: BundleProcess): Promise<Set<string>> {
  const { applications } = (await frontend.call("GET", "/v1/cluster")).json<ClusterView>();
  return new Set(applications.map(({ name }) => name));
}

// Each starts programs: on a machine with much else to do that takes its time.
describe("the bundled file", { timeout: 60_000 }, () => {
  it("starts, answers, and tells its version", async () => {
    await using frontend = await start();
    expect((await frontend.call("GET", "/v1/cluster")).json()).toMatchObject({
      cluster: "tests",
      store: "sqlite",
      version,
    });
    expect(frontend.stdout()).not.toContain(TOKEN);
  });

  it("is ready within a second", async () => {
    const [times, bare]: [number[], number[]] = [[], []];
    for (let round = 0; round < 3; round++) {
      const before = performance.now();
      await once(spawn(process.execPath, ["-e", ""]), "close");
      bare.push(performance.now() - before);
      await using frontend = await start();
      times.push(frontend.readyMs);
    }
    // On a machine with much else to do, an empty program says how slow everything is.
    expect(Math.min(...times)).toBeLessThan(Math.max(1_000, 30 * Math.min(...bare)));
  });

  it("loses nothing it acknowledged when it is killed under writes", async () => {
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const frontend = await start();
      expect([...(await applicationsOf(frontend))]).toEqual(expect.arrayContaining([...acknowledged]));
      let count = 0;
      const killed = new Promise<void>((resolve) => {
        const write = async (writer: number): Promise<void> => {
          for (let at = 0; ; at++) {
            const name = `app-${round}-${writer}-${at}`;
            const { status } = await create(frontend, name);
            expect(status).toBe(201);
            acknowledged.add(name);
            if (++count === 35 + round) {
              frontend.child.kill("SIGKILL");
              resolve();
            }
          }
        };
        // What was under way when it was killed is reset: neither known to be there nor not.
        for (const writer of [0, 1, 2, 3])
          write(writer).catch((error) => expect(error.code).toMatch(/^ECONN/));
      });
      await killed;
      expect(await frontend.exited).toBe("SIGKILL");
    }
    await using survivor = await start();
    const found = await applicationsOf(survivor);
    expect([...acknowledged].filter((name) => !found.has(name))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThanOrEqual(100);
  });

  it("gives a name to one of two processes on one file, and both see it", async () => {
    await using first = await start();
    await using second = await start();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all([create(first, `app-${round}`), create(second, `app-${round}`)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    }
    expect((await applicationsOf(first)).size).toBe(20);
    expect(await applicationsOf(second)).toEqual(await applicationsOf(first));
  });

  it("ends the watch streams and exits with 0 on SIGTERM", async () => {
    await using frontend = await start();
    using reader = await watch(frontend.url);
    await reader.find(({ type }) => type === "snapshot");
    frontend.child.kill("SIGTERM");
    expect(await frontend.exited).toBe(0);
    expect(reader.ended).toBe(true);
  });

  it("answers what was under way when it drains, and closes its connection", async () => {
    await using frontend = await start();
    const body = JSON.stringify({ ...DIGITS, name: "late" });
    const { hostname, port } = new URL(frontend.url);
    const socket = connect(Number(port), hostname);
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.write(
      `POST /v1/applications HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
    );
    // Answered only after the half above has reached the process.
    await frontend.call("GET", "/v1/applications");
    frontend.child.kill("SIGTERM");
    await eventually(() => frontend.stdout().includes("draining"));
    socket.write(body.slice(10));
    expect(await frontend.exited).toBe(0);
    expect(text).toMatch(/^HTTP\/1\.1 201 [\s\S]*\r\nconnection: close\r\n/i);
    expect(frontend.stdout()).not.toContain("requests were still open");
  });

  it("exits when its lifeline is cut", async () => {
    await using frontend = await start({ CLIPPER_LIFELINE: "3" });
    await create(frontend, "kept");
    (frontend.child.stdio[3] as Writable).destroy();
    expect(await frontend.exited).toBe(0);
    await using next = await start();
    expect(await applicationsOf(next)).toContain("kept");
  });

  it("keeps nothing on a memory store", async () => {
    await using frontend = await start({ CLIPPER_STATE: "memory", CLIPPER_VOLUME: "" });
    expect((await create(frontend, "a")).status).toBe(201);
    expect(existsSync(join(directory, "state.db"))).toBe(false);
  });

  it("serves Clipper's clients, which know no token, when told to", async () => {
    await using frontend = await start({ CLIPPER_COMPAT: "1" });
    const answer = await fetch(`${frontend.url}/admin/get_all_models`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"verbose":false}',
    });
    expect([answer.status, await answer.text()]).toEqual([200, "[]"]);
  });

  it.each([
    ["CLIPPER_LISTEN_MANAGEMENT", "tcp:0.0.0.0:0"],
    ["CLIPPER_LISTEN_MANAGEMENT", "1338"],
    ["CLIPPER_SECRETS", "/nowhere"],
    ["CLIPPER_CLUSTER", ""],
    ["CLIPPER_LIFELINE", "x"],
  ])("exits with 78 and one line that names %s when it is %j", async (key, value) => {
    const { code, stderr } = await runBundle({ ...env, [key]: value });
    expect([code, stderr]).toEqual([
      78,
      expect.stringMatching(new RegExp(`^management-frontend: ${key}: .+\n$`)),
    ]);
  });

  it("exits with 1 and one line when its state cannot be opened", async () => {
    const { code, stderr } = await runBundle({ ...env, CLIPPER_VOLUME: join(directory, "nowhere") });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^management-frontend: .*sqlite.+\n$/)]);
  });
});
