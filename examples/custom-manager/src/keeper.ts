/**
 * Keeps one instance running: starts it, starts it again when it exits, and writes down what it sees. Detached, one per instance:
 * `node keeper.ts INSTANCE_DIRECTORY`. It reads `plan.json` there, writes `status.json` and `log.jsonl`, and ends with SIGTERM.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

/** What the manager writes for the keeper. */
export interface Plan {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly graceMs: number;
}

/** What the keeper writes for the manager. */
export interface KeeperStatus {
  readonly keeperPid: number;
  readonly pid?: number;
  readonly restarts: number;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly startedAtMs?: number;
}

const directory = process.argv[2]!;
const plan = JSON.parse(readFileSync(join(directory, "plan.json"), "utf8")) as Plan;
let status: KeeperStatus = { keeperPid: process.pid, restarts: 0 };
const stopping = new AbortController();
process.on("SIGTERM", () => stopping.abort());

while (!stopping.signal.aborted) {
  tell({ exitCode: await runOnce() });
  await wait(Math.min(10_000, 100 * 2 ** status.restarts), undefined, { signal: stopping.signal }).catch(
    () => undefined,
  );
  if (!stopping.signal.aborted) tell({ restarts: status.restarts + 1 });
}

async function runOnce(): Promise<number> {
  const { command, cwd, env } = plan;
  const [program = "", ...args] = command;
  // Nothing is ever written to the fourth: it ends with the keeper, and the program ends itself when it sees that.
  const child = spawn(program, args, {
    cwd,
    env: { ...env, CLIPPER_LIFELINE: "3" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const failed = once(child, "error").then(([error]) => (error as Error).message);
  if (child.pid === undefined) {
    const { reason } = tell({ pid: undefined, reason: `cannot be started: ${await failed}` });
    return reason === undefined ? 0 : 127;
  }
  tell({ pid: child.pid, startedAtMs: Date.now(), reason: undefined });
  const outputs = (["stdout", "stderr"] as const).map(async (stream) => {
    for await (const text of createInterface({ input: child[stream]! })) {
      appendFileSync(
        join(directory, "log.jsonl"),
        `${JSON.stringify({ stream, text, timeMs: Date.now() })}\n`,
      );
    }
  });
  const stop = (): void => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), plan.graceMs).unref();
  };
  if (stopping.signal.aborted) stop();
  stopping.signal.addEventListener("abort", stop);
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  stopping.signal.removeEventListener("abort", stop);
  await Promise.all(outputs);
  tell({ pid: undefined, reason: `exited with ${code ?? signal}` });
  return code ?? 128 + constants.signals[signal!];
}

function tell(news: { [Field in keyof KeeperStatus]?: KeeperStatus[Field] | undefined }): KeeperStatus {
  status = { ...status, ...news } as KeeperStatus;
  const path = join(directory, "status.json");
  writeFileSync(`${path}.new`, JSON.stringify(status));
  renameSync(`${path}.new`, path);
  return status;
}
