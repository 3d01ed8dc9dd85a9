import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, formatAddress } from "@clipper-serving/spec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundlePath, version } from "./bundle.js";
import { FakeManagement, TOKEN } from "./test-support/fake-management.js";
import { startPythonReplica } from "./test-support/python-replica.js";
import { applicationRecord, put, versionRecord } from "./test-support/records.js";

let directory: string;
let management: FakeManagement;
let managementAddress: Address;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  expect(existsSync(bundlePath), `${bundlePath} is built: run \`npm run build\``).toBe(true);
  directory = await mkdtemp(join(tmpdir(), "clipper-qf-"));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, "secrets"));
  await writeFile(join(directory, "secrets", "token"), TOKEN, { mode: 0o600 });
  management = new FakeManagement();
  ends.push(() => management.stop());
  managementAddress = await management.start();
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The bundled file as a process. */
class Program {
  readonly child: ChildProcess;
  #output = "";
  #errors = "";

  constructor(environment: Record<string, string> = {}) {
    const env = {
      PATH: process.env.PATH ?? "",
      CLIPPER_INSTANCE: "query-frontend-0",
      CLIPPER_LISTEN_QUERY: "tcp:127.0.0.1:0",
      CLIPPER_LISTEN_RPC: `unix:${join(directory, "rpc.sock")}`,
      CLIPPER_MANAGEMENT: formatAddress(managementAddress),
      CLIPPER_SECRETS: join(directory, "secrets"),
      CLIPPER_VOLUME: directory,
      ...environment,
    };
    this.child = spawn(process.execPath, [bundlePath], { env, stdio: ["ignore", "pipe", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk) => {
      this.#output += chunk;
    });
    this.child.stderr?.on("data", (chunk) => {
      this.#errors += chunk;
    });
    ends.push(() => this.end("SIGKILL"));
  }

  get lines(): Record<string, unknown>[] {
    const whole = this.#output.slice(0, this.#output.lastIndexOf("\n") + 1);
    return whole
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get errors(): string {
    return this.#errors;
  }

  async url(): Promise<string> {
    const listening = () => this.lines.find(({ msg }) => msg === "listening")?.query;
    await expect.poll(listening, { timeout: 5_000 }).toBeDefined();
    return `http://${String(listening()).slice("tcp:".length)}`;
  }

  async predict(input: unknown): Promise<Record<string, unknown>> {
    const body = JSON.stringify({ input });
    const answer = await fetch(`${await this.url()}/sum/predict`, { method: "POST", body });
    return (await answer.json()) as Record<string, unknown>;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exited();
  }

  async exited(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    return this.child.exitCode;
  }
}

describe("the bundled file", () => {
  it("is of the package's version, and starts without an installation", async () => {
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    const program = new Program();
    const health = await fetch(`${await program.url()}/healthz`);
    expect(health.status).toBe(200);
    expect(await program.end("SIGTERM")).toBe(0);
    expect(program.lines.at(-1)).toMatchObject({ msg: "stopped", frontend: "query-frontend-0" });
    expect(JSON.stringify(program.lines)).not.toContain(TOKEN);
  });

  it("serves a Python function, and again by itself after kill -9 with the management frontend away", async () => {
    management.commit(
      put.application(applicationRecord("sum", { model: "sum" })),
      put.model("sum", "1"),
      put.version(versionRecord("sum", "1")),
    );
    const replica = await startPythonReplica({
      directory: join(directory, "bundle"),
      model: "sum",
      version: "1",
      source: "def predict(inputs):\n    return [str(float(sum(x))) for x in inputs]\n",
      frontend: `unix:${join(directory, "rpc.sock")}`,
    });
    ends.push(() => replica.stop());
    const first = new Program();
    await expect.poll(async () => (await first.predict([1, 2.5])).output, { timeout: 8_000 }).toBe(3.5);
    await expect.poll(() => existsSync(join(directory, "state-snapshot.json"))).toBe(true);
    await first.end("SIGKILL");
    await management.stop();

    const second = new Program();
    const url = await second.url();
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 5_000 }).toBe(200);
    expect(await second.predict([1, 2])).toMatchObject({ output: 3, default: false });
  }, 20_000);

  it("ends by itself when the platform's end of its lifeline is gone", async () => {
    const program = new Program({ CLIPPER_LIFELINE: "3" });
    await program.url();
    program.child.stdio[3]?.destroy();
    expect(await program.exited()).toBe(0);
    expect(program.lines).toContainEqual(expect.objectContaining({ why: "the platform is gone" }));
  });

  it("ends with 78 and one line that names the key, when it is configured wrong", async () => {
    const program = new Program({ CLIPPER_CACHE_BYTES: "lots" });
    expect(await program.exited()).toBe(78);
    expect(program.errors).toBe(
      'clipper query frontend: CLIPPER_CACHE_BYTES is "lots"; it is a whole number\n',
    );
    const tokenless = new Program({ CLIPPER_SECRETS: directory });
    expect(await tokenless.exited()).toBe(78);
    expect(tokenless.errors).toMatch(/CLIPPER_SECRETS .*\n$/);
  });

  it("ends with 1 when its address is taken", async () => {
    const program = new Program();
    const port = new URL(await program.url()).port;
    const second = new Program({
      CLIPPER_LISTEN_QUERY: `tcp:127.0.0.1:${port}`,
      CLIPPER_LISTEN_RPC: `unix:${join(directory, "other.sock")}`,
    });
    expect(await second.exited()).toBe(1);
    expect(second.errors).toContain(port);
  });
});
