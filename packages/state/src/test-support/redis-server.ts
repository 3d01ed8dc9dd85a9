import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** On a machine with much else to do it takes its time. */
const START_MS = 30_000;
/** Below the ports that systems give to outgoing connections, so that nobody has it when it is started again. */
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;

/** Why there can be no server here; undefined when there can. */
export function redisAbsence(): string | undefined {
  const { status } = spawnSync("redis-server", ["--version"], { stdio: "ignore" });
  return status === 0 ? undefined : "there is no `redis-server` on PATH";
}

/** A Redis of a test's own on loopback, set as a state store needs it, with its data in a directory that goes with it. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly directory: string;
  #options: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;

  private constructor(port: number, directory: string, options: Readonly<Record<string, string>>) {
    this.port = port;
    this.directory = directory;
    this.#options = options;
  }

  /** @param options of `redis-server`, over those that a state store needs */
  static async start(options: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), "clipper-redis-"));
    const server = new RedisServer(await freePort(), directory, {
      appendonly: "yes",
      appendfsync: "always",
      "maxmemory-policy": "noeviction",
      save: "",
      ...options,
    });
    await server.up();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it on the data that are there. */
  async up(options: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#options = { ...this.#options, ...options };
    const all = { port: String(this.port), bind: "127.0.0.1", dir: this.directory, ...this.#options };
    this.#process = spawn(
      "redis-server",
      Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
      { stdio: "ignore" },
    );
    const deadline = performance.now() + START_MS;
    while (!(await this.#answers())) {
      if (this.#process.exitCode !== null || performance.now() > deadline) {
        throw new Error(`redis-server did not start on port ${this.port}`);
      }
      await delay(10);
    }
  }

  async down(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGCONT");
    child.kill(signal);
    await ended;
  }

  /** It keeps its connections and answers nothing, as behind a network that drops everything. */
  suspend(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Runs a command as somebody else would. @returns what `redis-cli` prints */
  async command(...args: string[]): Promise<string> {
    const password = this.#options.requirepass;
    const login = password === undefined ? [] : ["--no-auth-warning", "-a", password];
    const { stdout } = await run("redis-cli", ["-p", String(this.port), ...login, ...args]);
    return stdout.trim();
  }

  /** Copies its data; it is down meanwhile. @returns what puts them back, as of now */
  async backUp(): Promise<{ restore(): Promise<void> }> {
    const copy = join(this.directory, `copy-${(await readdir(this.directory)).length}`);
    const data = join(this.directory, "appendonlydir");
    await this.down();
    await cp(data, copy, { recursive: true });
    await this.up();
    return {
      restore: async () => {
        await this.down();
        await rm(data, { recursive: true, force: true });
        await cp(copy, data, { recursive: true });
        await this.up();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down("SIGKILL");
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Whether it has read its data: until then it answers `-LOADING`. */
  async #answers(): Promise<boolean> {
    const socket = connect(this.port, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.write("PING\r\n");
      const [reply] = (await once(socket, "data")) as [Buffer];
      return /^(\+PONG|-NOAUTH)/.test(reply.toString("latin1"));
    } catch {
      // Nobody listens yet.
      return false;
    } finally {
      socket.destroy();
    }
  }
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      // Somebody has it: another one, then.
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}
