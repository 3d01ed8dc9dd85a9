import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface RegistryOptions {
  /** The `auth:` part of the registry's configuration, as YAML; default: everybody may do everything. */
  readonly auth?: string;
}

const START_MS = 20_000;

/** A registry of a test's own on loopback: Debian's `docker-registry`, empty, gone afterwards. */
export class TestRegistry implements AsyncDisposable {
  /** Host and port. */
  readonly address: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "clp-registry-"));
  readonly #process: ChildProcess;
  #said = "";

  private constructor(address: string, { auth }: RegistryOptions) {
    this.address = address;
    const configuration = join(this.#directory, "config.yml");
    writeFileSync(
      configuration,
      `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${this.#directory} }, delete: { enabled: true } }
http: { addr: "${address}" }
${auth === undefined ? "" : `auth:\n${auth}`}
`,
    );
    this.#process = spawn("docker-registry", ["serve", configuration], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(-2_000);
    });
  }

  static async start(options: RegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(`127.0.0.1:${await freePort()}`, options);
    const deadline = Date.now() + START_MS;
    while (!(await registry.#answers())) {
      if (registry.#process.exitCode !== null || Date.now() > deadline) {
        await registry[Symbol.asyncDispose]();
        throw new Error(`docker-registry did not start: ${registry.#said}`);
      }
      await delay(50);
    }
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill();
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return fetch(`http://${this.address}/v2/`).then(
      async (response) => {
        await response.body?.cancel();
        return response.status < 500;
      },
      () => false,
    );
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
