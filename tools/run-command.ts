import { spawn } from "node:child_process";
import { repositoryRoot } from "./repository.ts";

export interface CommandResult {
  /** Exit code; 128 and more for a signal, 127 when the program was not found. */
  code: number;
  /** What it printed on both streams, as far as it was not let through. */
  output: string;
}

export interface RunOptions {
  /** Default: the repository. */
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Let the command print instead of keeping what it prints; default false. */
  show?: boolean;
  signal?: AbortSignal;
}

/** Runs one program, without a shell, to its end. Never rejects: a failure is a code and what was printed. */
export function runCommand(
  command: string,
  commandArguments: readonly string[],
  options: RunOptions = {},
): Promise<CommandResult> {
  const { promise, resolve } = Promise.withResolvers<CommandResult>();
  const show = options.show === true;
  const child = spawn(command, commandArguments, {
    cwd: options.cwd ?? repositoryRoot,
    env: { ...process.env, ...options.env },
    stdio: show ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    signal: options.signal,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  child.on("error", (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
  child.on("close", (code) => resolve({ code: code ?? 128, output }));
  return promise;
}
