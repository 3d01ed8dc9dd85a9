import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

export interface ToolProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The whole run, ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** One line of stdout or stderr, without its newline; a line of more than 64 KiB comes in pieces. */
  readonly onLine: (line: string) => void;
}

export interface ToolExit {
  readonly code: number | undefined;
  /** A clause about `it`. */
  readonly reason: string;
}

const LONGEST_LINE = 64 * 1024;
/** How long what is still in the pipes may take to be read, once the process has ended, ms. */
const DRAIN_MS = 1_000;

/**
 * Runs a process to its end, which the signal and the time bring about early. It leads a group of its own, and what it started and left running ends with it;
 * what moved to a session of its own is left alone, and not waited for. `CLIPPER_LIFELINE` names a descriptor that meets its end when this process is gone.
 */
export function runToEnd(tool: ToolProcess): Promise<ToolExit> {
  const { command, args, env, timeoutMs, signal, onLine } = tool;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { ...env, CLIPPER_LIFELINE: "3" },
    }) as ChildProcessByStdio<null, Readable, Readable>;
    const streams = [child.stdout, child.stderr];
    const lifeline = child.stdio[3] as Socket | null;
    // What was left running may hold the other end for long.
    lifeline?.on("error", () => lifeline.destroy()).unref();
    for (const stream of streams) readLines(stream, onLine);
    let isLate = false;
    const end = () => endGroup(child);
    const timer = setTimeout(() => {
      isLate = true;
      end();
    }, timeoutMs);
    signal?.addEventListener("abort", end, { once: true });
    // It may have been aborted before anybody listened.
    if (signal?.aborted) end();

    const settle = (exit: ToolExit) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve(exit);
    };
    child.once("error", (error) =>
      settle({ code: undefined, reason: `${command} did not start: ${error.message}` }),
    );
    child.once("exit", () => {
      end();
      lifeline?.destroy();
      // A pipe stays open while anybody holds it.
      const drained = setTimeout(() => {
        for (const stream of streams) stream.destroy();
      }, DRAIN_MS);
      child.once("close", () => clearTimeout(drained));
    });
    child.once("close", (code, killedBy) => {
      if (isLate) settle({ code: undefined, reason: `it took longer than ${timeoutMs} ms and was ended` });
      else if (code === null) settle({ code: undefined, reason: `it was ended by ${killedBy}` });
      else settle({ code, reason: `it exited with code ${code}` });
    });
  });
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended already.
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let pending = "";
  stream.on("data", (chunk: Buffer) => {
    const lines = (pending + decoder.write(chunk)).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) onLine(line.replace(/\r$/, ""));
    for (; pending.length > LONGEST_LINE; pending = pending.slice(LONGEST_LINE))
      onLine(pending.slice(0, LONGEST_LINE));
  });
  stream.on("end", () => {
    if (pending !== "") onLine(pending);
  });
}
