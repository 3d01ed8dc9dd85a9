import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "../../tools/repository.ts";

export const clipperScript = join(repositoryRoot, "packages", "cli", "bin", "clipper.js");

export interface CommandOutcome {
  /** Exit code; 128 + n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly outcome: Promise<CommandOutcome>;
  /** Resolves when stderr has shown the text; rejects when the command ends before. */
  shows(text: string): Promise<void>;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/**
 * Starts `clipper ARGUMENTS…` as a shell would, in a process of its own.
 * @param user number of another user and group, where root calls
 */
export function startClipper(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  user?: number,
): RunningCommand {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [clipperScript, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const outcome = new Promise<CommandOutcome>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({
        code: code ?? 128 + (SIGNALS[signal ?? ""] ?? 0),
        stdout,
        stderr,
        seconds: (performance.now() - startedAt) / 1_000,
      });
    });
  });
  const shows = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (stderr.includes(text)) resolve();
      };
      child.stderr.on("data", look);
      look();
      void outcome.then(
        (ended) => reject(new Error(`ended without showing ${text}: ${JSON.stringify(ended)}`)),
        reject,
      );
    });
  return { child, outcome, shows };
}

/** Runs a command to its end. @throws when it does not exit with `code` (default 0) */
export async function clipper(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { code = 0 }: { readonly code?: number } = {},
): Promise<CommandOutcome> {
  const outcome = await startClipper(args, env).outcome;
  if (outcome.code !== code) {
    throw new Error(
      `clipper ${args.join(" ")} exited with ${outcome.code}, not ${code}:\n${outcome.stdout}${outcome.stderr}`,
    );
  }
  return outcome;
}
