import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processesOf } from "../../support/processes.ts";
import { makeCertificates, type ServerCertificates } from "./server-certificates.ts";

export interface SecondEngineOptions {
  /** Room for images and containers: a file system of this size in memory. Default: as much as the disk has. */
  readonly diskBytes?: number;
}

/** Where the networks of a second engine lie: apart from those of the first. */
const ADDRESS_POOL = "10.213.0.0/16";
const START_MS = 60_000;
const STOP_MS = 30_000;

/** Why a test that needs an engine of its own cannot run here; undefined when it can. */
export function secondEngineAbsence(): string | undefined {
  if (process.getuid?.() !== 0) return "starting an engine of the test's own needs root";
  return spawnSync("dockerd", ["--version"], { stdio: "ignore" }).status === 0
    ? undefined
    : "there is no `dockerd` on PATH";
}

/**
 * A Docker engine of a test's own, which it may restart, fill up or kill. It listens on a unix socket, and on TCP with TLS; it shares
 * nothing with an engine that is there: its own data, its own sockets, its own networks, and no rule of the firewall but one for those.
 */
export class SecondEngine implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), "clp-engine-"));
  readonly certificates: ServerCertificates;
  /** `unix:///…` */
  readonly host: string = `unix://${join(this.directory, "docker.sock")}`;
  readonly #port: number;
  readonly #diskBytes: number | undefined;
  #process: ChildProcess | undefined;

  private constructor(port: number, { diskBytes }: SecondEngineOptions) {
    this.#port = port;
    this.#diskBytes = diskBytes;
    mkdirSync(join(this.directory, "certificates"), { mode: 0o700 });
    mkdirSync(join(this.directory, "data"));
    writeFileSync(join(this.directory, "daemon.json"), "{}");
    this.certificates = makeCertificates(join(this.directory, "certificates"));
  }

  static async start(options: SecondEngineOptions = {}): Promise<SecondEngine> {
    const engine = new SecondEngine(await freePort(), options);
    try {
      engine.#prepare();
      await engine.start();
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `tcp://127.0.0.1:…`; takes clients with a certificate of its authority only. */
  get tcpHost(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  /** What the `docker` command, and anything that finds the engine like it, needs. */
  environment(by: "unix" | "tls" = "unix"): Record<string, string> {
    if (by === "unix") return { DOCKER_HOST: this.host };
    return {
      DOCKER_HOST: this.tcpHost,
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: this.certificates.directory,
    };
  }

  /** Again, after {@link stop} or {@link kill}: with the same data at the same addresses. Resolves when it answers. */
  async start(): Promise<void> {
    const log = openSync(join(this.directory, "log"), "a");
    const { authority, certificate, key } = this.certificates;
    const at = (name: string) => join(this.directory, name);
    const tls = ["--tlsverify", "--tlscacert", authority, "--tlscert", certificate, "--tlskey", key];
    // A developer's own settings are for the developer's own engine.
    const places = [
      "--config-file",
      at("daemon.json"),
      "--data-root",
      at("data"),
      "--exec-root",
      at("exec"),
      "--pidfile",
      at("pid"),
    ];
    // Told of any other bridge, or of none, an engine removes `docker0`, whosever it is. Nothing of this one uses it.
    const networks = ["--iptables=false", "--ip6tables=false"];
    const pool = ["--default-address-pool", `base=${ADDRESS_POOL},size=24`];
    const hosts = ["--host", this.host, "--host", this.tcpHost];
    this.#process = spawn("dockerd", [...places, ...networks, ...pool, ...hosts, ...tls], {
      detached: true,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const deadline = Date.now() + START_MS;
    while (this.docker("info").status !== 0) {
      if (this.#process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the second engine did not start: ${readFileSync(at("log"), "utf8").slice(-2_000)}`);
      }
      await delay(100);
    }
  }

  /** As an operator stops it: containers end, unless they are kept alive. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** As if it crashed. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
    // Its containerd dies with it, and must not be taken for alive where nobody collects what died.
    rmSync(join(this.directory, "exec/containerd/containerd.pid"), { force: true });
  }

  /** The `docker` command on this engine. */
  docker(...words: string[]): { status: number | null; stdout: string; stderr: string } {
    const environment = { ...process.env, ...this.environment() };
    return spawnSync("docker", words, { encoding: "utf8", env: environment, timeout: 120_000 });
  }

  /** Brings an image over from the engine that `docker` finds. */
  async copyImage(ref: string): Promise<{ status: number | null; stderr: string }> {
    const save = spawn("docker", ["save", ref], { stdio: ["ignore", "pipe", "inherit"] });
    const load = spawn("docker", ["load"], {
      env: { ...process.env, ...this.environment() },
      stdio: [save.stdout, "ignore", "pipe"],
    });
    let stderr = "";
    load.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [status] = (await once(load, "close")) as [number | null];
    save.kill();
    return { status, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!existsSync(this.directory)) return;
    // What it ran goes on without it: only the engine itself can end that.
    if (this.#process?.signalCode === "SIGKILL") await this.start();
    if (this.#process?.exitCode === null) {
      const { stdout } = this.docker("ps", "--quiet", "--all");
      const containers = stdout.split("\n").filter((id) => id !== "");
      if (containers.length > 0) this.docker("rm", "--force", ...containers);
      for (const name of this.docker("network", "ls", "--quiet", "--filter", "type=custom").stdout.split(
        "\n",
      )) {
        if (name !== "") this.docker("network", "rm", name);
      }
      await this.stop();
    }
    for (const { pid } of processesOf(this.directory)) process.kill(pid, "SIGKILL");
    spawnSync("iptables", ["--delete", ...FORWARD_RULE], { stdio: "ignore" });
    // The engine leaves a mount behind when it is killed; one that is not there is none to remove.
    for (const mount of mountsBelow(this.directory))
      spawnSync("umount", ["--lazy", mount], { stdio: "ignore" });
    rmSync(this.directory, { recursive: true, force: true });
  }

  #prepare(): void {
    // The first engine's policy is to drop what goes between containers, unless a rule lets it through.
    execFileSync("iptables", ["--insert", ...FORWARD_RULE]);
    if (this.#diskBytes === undefined) return;
    execFileSync("mount", [
      "-t",
      "tmpfs",
      "-o",
      `size=${this.#diskBytes}`,
      "tmpfs",
      join(this.directory, "data"),
    ]);
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, "exit");
    running.kill(signal);
    const late = setTimeout(() => running.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(late);
  }
}

const FORWARD_RULE = [
  "FORWARD",
  ...["--source", ADDRESS_POOL, "--destination", ADDRESS_POOL],
  ...["--jump", "ACCEPT", "--match", "comment", "--comment", "clipper second engine"],
];

/** The deepest first. */
function mountsBelow(directory: string): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((place) => place.startsWith(`${directory}/`))
    .sort()
    .reverse();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
