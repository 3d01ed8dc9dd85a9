import { type ChildProcess, spawn } from "node:child_process";
import { Agent } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { EngineError } from "./engine-error.js";

export interface SshAgentOptions {
  readonly destination: string;
  readonly port?: number | undefined;
}

/**
 * Connections to an engine through the user's own `ssh` command, as the `docker` command makes them: so keys, agents, jump hosts
 * and known hosts are those of the user's ssh configuration. No password is asked for.
 */
export class SshAgent extends Agent {
  readonly #options: SshAgentOptions;
  readonly #children = new Set<ChildProcess>();

  constructor(options: SshAgentOptions) {
    super({ keepAlive: true });
    this.#options = options;
  }

  override createConnection(): Duplex {
    const { destination, port } = this.#options;
    const words = [
      ...["-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-T"],
      ...(port === undefined ? [] : ["-p", String(port)]),
      ...["--", destination, "docker", "system", "dial-stdio"],
    ];
    const child = spawn("ssh", words, { stdio: ["pipe", "pipe", "pipe"] });
    this.#children.add(child);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-1_000);
    });
    const duplex = Duplex.from({ writable: child.stdin, readable: child.stdout });
    child.on("error", (error) => duplex.destroy(error));
    child.on("close", (code) => {
      this.#children.delete(child);
      if (code !== 0) duplex.destroy(ended(destination, code, said.trim()));
    });
    duplex.on("close", () => child.kill());
    return asSocket(duplex, child);
  }

  override destroy(): void {
    super.destroy();
    for (const child of this.#children) child.kill();
  }
}

function ended(destination: string, code: number | null, said: string): EngineError {
  return new EngineError({
    code: "ENGINE_UNREACHABLE",
    message: `ssh to ${destination} ended with ${code === null ? "a signal" : `code ${code}`}${said === "" ? "" : `: ${said}`}`,
    hint: `make \`ssh ${destination} docker version\` work without a password`,
    facts: { destination, exitCode: code },
  });
}

/** What `node:http` asks of a socket and a pipe does not have. */
function asSocket(duplex: Duplex, child: ChildProcess): Duplex {
  const nothing = (): Duplex => duplex;
  const keepAwake = (isAwake: boolean): Duplex => {
    for (const pipe of [child, ...(child.stdio as readonly unknown[] as readonly Socket[])]) {
      if (isAwake) pipe?.ref();
      else pipe?.unref();
    }
    return duplex;
  };
  return Object.assign(duplex, {
    setKeepAlive: nothing,
    setNoDelay: nothing,
    setTimeout: nothing,
    ref: () => keepAwake(true),
    // An idle connection keeps no process from ending.
    unref: () => keepAwake(false),
  });
}
