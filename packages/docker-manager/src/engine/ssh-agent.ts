import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { EngineError } from "./engine-error.js";

export interface SshAgentOptions {
  readonly destination: string;
  readonly port?: number | undefined;
  /** Of the engine on that machine. Default: the one that its `docker` command uses. */
  readonly socket?: string | undefined;
}

const LONGEST_WORDS = 1_000;

/**
 * Connections to an engine through the user's own `ssh` command, as the `docker` command makes them: so keys, agents, jump hosts
 * and known hosts are those of the user's ssh configuration. No password is asked for.
 */
export class SshAgent extends Agent {
  readonly #options: SshAgentOptions;
  readonly #connections = new Set<Duplex>();

  constructor(options: SshAgentOptions) {
    super({ keepAlive: true });
    this.#options = options;
  }

  override createConnection(): Duplex {
    const { destination, port, socket } = this.#options;
    const words = [
      ...["-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-T"],
      ...(port === undefined ? [] : ["-p", String(port)]),
      ...["--", destination, "docker"],
      ...(socket === undefined ? [] : [`--host=unix://${socket}`]),
      ...["system", "dial-stdio"],
    ];
    const connection = new SshConnection(destination, spawn("ssh", words));
    this.#connections.add(connection);
    connection.on("close", () => this.#connections.delete(connection));
    return connection;
  }

  override destroy(): void {
    super.destroy();
    for (const connection of this.#connections) connection.destroy();
  }
}

/** What an `ssh` reads and writes, with what `node:http` asks of a socket. */
class SshConnection extends Duplex {
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(destination: string, child: ChildProcessWithoutNullStreams) {
    super();
    this.#child = child;
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-LONGEST_WORDS);
    });
    child.stdout.on("data", (bytes: Buffer) => {
      if (!this.push(bytes)) child.stdout.pause();
    });
    // The end of the process says what there is to say.
    child.stdin.on("error", () => undefined);
    child.on("error", (error) => this.destroy(error));
    child.on("close", (code) => {
      if (code !== 0) return void this.destroy(ended(destination, code, said.trim()));
      // Ended by the engine: half of it would be kept for the next request, which nobody would answer.
      this.once("end", () => this.destroy());
      this.push(null);
      // An idle one nobody reads to its end.
      this.read(0);
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // One that has ended tells why by its end.
    this.#child.stdin.write(bytes, () => done());
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#child.kill();
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    this.#child.ref();
    for (const pipe of this.#pipes()) pipe.ref();
    return this;
  }

  /** An idle connection keeps no process from ending. */
  unref(): this {
    this.#child.unref();
    for (const pipe of this.#pipes()) pipe.unref();
    return this;
  }

  #pipes(): readonly Socket[] {
    const { stdin, stdout, stderr } = this.#child;
    // Sockets in all but their type.
    return [stdin, stdout, stderr] as unknown as readonly Socket[];
  }
}

function ended(destination: string, code: number | null, said: string): EngineError {
  const how = code === null ? "a signal" : `code ${code}`;
  return new EngineError({
    code: "ENGINE_UNREACHABLE",
    message: `ssh to ${destination} ended with ${how}${said === "" ? "" : `: ${said}`}`,
    hint: `make \`ssh ${destination} docker version\` work without a password`,
    facts: { destination, exitCode: code },
  });
}
