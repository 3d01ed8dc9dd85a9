import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Address, InstanceState, InstanceStatus } from "@clipper-serving/spec";
import { killGroupOfEnded, type ProcessIdentity, processIdentity } from "../process-identity.js";
import { isFree } from "./free-port.js";
import { LineSplitter } from "./line-splitter.js";
import type { LogWriter } from "./log-writer.js";
import { countOomKills } from "./oom-kills.js";
import { portHolder } from "./port-holder.js";
import { probe } from "./readiness-probe.js";
import { RestartDelay } from "./restart-delay.js";

/** Number of the inherited descriptor that ends when the supervisor does: the first after the standard three. */
export const LIFELINE_DESCRIPTOR = 3;
const FIRST_PROBE_INTERVAL_MS = 10;
const LONGEST_PROBE_INTERVAL_MS = 250;
const READY_PROBE_INTERVAL_MS = 2_000;
/** How long output that is still in the pipes is waited for after an end; a process that left the group may hold them for ever. */
const LAST_OUTPUT_MS = 300;

export interface InstanceOptions {
  readonly id: string;
  readonly command: readonly string[];
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where it listens, by port: sockets left by an earlier run are removed, ports must be free. */
  readonly listens: ReadonlyMap<string, Address>;
  readonly ready: { readonly path: string; readonly at: Address } | "running";
  readonly log: LogWriter;
  readonly onChange: () => void;
}

/** One copy of a program, started again when it ends until it is stopped. */
export class Instance {
  readonly id: string;
  readonly listens: ReadonlyMap<string, Address>;
  readonly #options: InstanceOptions;
  readonly #delay = new RestartDelay();
  #state: InstanceState = "starting";
  #reason: string | undefined;
  #restarts = 0;
  #exitCode: number | undefined;
  #isOomKilled = false;
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #startedAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: InstanceOptions) {
    this.id = options.id;
    this.listens = options.listens;
    this.#options = options;
  }

  start(): void {
    void this.#run();
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** Of the process that runs now. */
  get identity(): ProcessIdentity | undefined {
    return this.#identity;
  }

  status(): InstanceStatus {
    return {
      id: this.id,
      state: this.#state,
      restarts: this.#restarts,
      ...(this.#exitCode === undefined ? {} : { exitCode: this.#exitCode }),
      ...(this.#isOomKilled ? { oomKilled: true } : {}),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      ...(this.#identity === undefined ? {} : { pid: this.#identity.pid }),
      ...(this.#startedAtMs === undefined ? {} : { startedAtMs: this.#startedAtMs }),
    };
  }

  /** SIGTERM, `graceMs`, SIGKILL; resolves when nothing of it runs. */
  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child !== undefined) {
      this.#become("stopping");
      child.kill("SIGTERM");
      const killing = setTimeout(() => {
        // Until its exit was told, the number is this child's and nobody else's.
        if (this.#child === child) killGroup(child);
      }, graceMs);
      await this.#ended;
      clearTimeout(killing);
    }
    this.#become("exited");
    this.#removeSockets();
    this.#options.log.close();
  }

  async #run(): Promise<void> {
    this.#become("starting");
    this.#removeSockets();
    const taken = await this.#takenPort();
    if (this.#stopped !== undefined) return;
    if (taken !== undefined) {
      this.#fail(`port ${taken} is in use by ${portHolder(taken) ?? "another process"}`, 0);
      return;
    }
    const { log } = this.#options;
    const child = this.#spawn();
    if (child === undefined) return;
    const outputs = [
      this.#keepOutput(child.stdout!, "stdout", log),
      this.#keepOutput(child.stderr!, "stderr", log),
    ];
    // Whatever becomes of the lifeline's other end, this end has only to stay open.
    child.stdio[LIFELINE_DESCRIPTOR]?.on("error", () => undefined);
    const oomKillsBefore = countOomKills();
    const startedAt = performance.now();
    this.#child = child;
    this.#identity = processIdentity(child.pid!);
    this.#startedAtMs = Date.now();
    this.#become(this.#options.ready === "running" ? "ready" : "running");
    this.#ended = this.#awaitEnd(child, outputs, { startedAt, oomKillsBefore });
    if (this.#options.ready !== "running") void this.#watchReadiness(child, this.#options.ready);
  }

  #spawn(): ChildProcess | undefined {
    const { command, directory, env } = this.#options;
    try {
      const child = spawn(command[0]!, command.slice(1), {
        cwd: directory,
        env,
        // A session of its own: a signal to the supervisor's group does not reach it, and its group can be ended as one.
        detached: true,
        stdio: ["ignore", "pipe", "pipe", "pipe"],
      });
      child.on("error", (error) => {
        if (child.pid === undefined) this.#fail(`cannot be started: ${error.message}`, 0);
      });
      return child.pid === undefined ? undefined : child;
    } catch (error) {
      // Some failures are thrown instead of told, such as an environment that is too large.
      this.#fail(`cannot be started: ${(error as Error).message}`, 0);
      return undefined;
    }
  }

  async #awaitEnd(
    child: ChildProcess,
    outputs: readonly Promise<unknown>[],
    { startedAt, oomKillsBefore }: { startedAt: number; oomKillsBefore: number | undefined },
  ): Promise<void> {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    killGroupOfEnded(child.pid!);
    this.#child = undefined;
    this.#identity = undefined;
    this.#exitCode = code ?? 128 + constants.signals[signal!];
    const oomKills = countOomKills();
    const isKilled = signal === "SIGKILL" && this.#stopped === undefined;
    this.#isOomKilled = isKilled && oomKillsBefore !== undefined && oomKills! > oomKillsBefore;
    if (this.#stopped !== undefined) {
      // The immediate lets a supervisor that was held up read what has come meanwhile.
      const patience = new Promise((resolve) => setTimeout(() => setImmediate(resolve), LAST_OUTPUT_MS));
      await Promise.race([Promise.all(outputs), patience]);
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      return;
    }
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    const why = isKilled
      ? `, not sent by its manager: ${this.#isOomKilled ? "out of memory" : "out of memory?"}`
      : "";
    this.#fail(how + why, performance.now() - startedAt);
  }

  /** Tells what happened and starts it again later. */
  #fail(reason: string, runMs: number): void {
    if (this.#stopped !== undefined) return;
    const delayMs = this.#delay.next(runMs);
    const { isCrashLoop } = this.#delay;
    this.#timer = setTimeout(() => {
      this.#restarts += 1;
      void this.#run();
    }, delayMs);
    this.#reason = `${isCrashLoop ? "crash loop: " : ""}${reason}; it is started again after ${delayMs / 1_000} s`;
    this.#become("failed", this.#reason);
  }

  async #watchReadiness(child: ChildProcess, { path, at }: { path: string; at: Address }): Promise<void> {
    let intervalMs = FIRST_PROBE_INTERVAL_MS;
    let misses = 0;
    while (this.#child === child && this.#stopped === undefined) {
      const why = await probe(at, path);
      if (this.#child !== child || this.#stopped !== undefined) return;
      misses = why === undefined ? 0 : misses + 1;
      if (why === undefined) this.#become("ready");
      // One slow answer of an instance that was ready says little.
      else if (!this.isReady || misses > 1) this.#become("running", why);
      intervalMs = this.isReady
        ? READY_PROBE_INTERVAL_MS
        : Math.min(LONGEST_PROBE_INTERVAL_MS, intervalMs * 1.5);
      await new Promise((resolve) => setTimeout(resolve, intervalMs).unref());
    }
  }

  #become(state: InstanceState, reason?: string): void {
    const isNews = state !== this.#state || reason !== this.#reason;
    this.#state = state;
    this.#reason = reason;
    if (isNews) this.#options.onChange();
  }

  #keepOutput(stream: Readable, name: "stdout" | "stderr", log: LogWriter): Promise<unknown> {
    const lines = new LineSplitter((given) => log.write(name, given));
    stream.on("data", (chunk: Buffer) => lines.push(chunk));
    // A pipe that breaks has nothing more to say: its close is what counts.
    stream.on("error", () => undefined);
    return new Promise<void>((resolve) => stream.once("close", resolve)).then(() => lines.end());
  }

  async #takenPort(): Promise<number | undefined> {
    for (const address of this.listens.values()) {
      if (address.kind !== "unix" && !(await isFree(address.port))) return address.port;
    }
    return undefined;
  }

  #removeSockets(): void {
    for (const address of this.listens.values())
      if (address.kind === "unix") rmSync(address.path, { force: true });
  }
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {
    // Its group has ended: the exit is about to be told.
  }
}
