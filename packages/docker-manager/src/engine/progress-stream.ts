import type { IncomingMessage } from "node:http";
import { brokenStream } from "./engine-client.js";
import { EngineError } from "./engine-error.js";

/** A line of what the engine says while it loads or pulls. */
export interface EngineProgress {
  readonly stream?: string;
  readonly status?: string;
  /** A layer's short id. */
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

export interface ProgressStreamOptions {
  /** For errors: `load`. */
  readonly request: string;
  /** Longest time in which nothing happens, ms. */
  readonly stallTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: (line: EngineProgress) => void;
  /** Told a function to call when something happens elsewhere, such as bytes going out. */
  readonly onWatch?: (touch: () => void) => void;
}

/**
 * Reads the lines to their end. An answer of 200 says only that the work began: it failed when a line says `error`, when the lines
 * end in the middle, and when nothing comes for too long.
 */
export async function readProgress(answer: IncomingMessage, options: ProgressStreamOptions): Promise<void> {
  const { request, stallTimeoutMs, signal, onLine, onWatch } = options;
  let isStalled = false;
  const timer = setTimeout(() => {
    isStalled = true;
    answer.destroy();
  }, stallTimeoutMs);
  onWatch?.(() => timer.refresh());
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of answer) {
      timer.refresh();
      rest = Buffer.concat([rest, chunk as Buffer]);
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
        readLine(rest.subarray(0, end), request, onLine);
        rest = rest.subarray(end + 1);
      }
    }
  } catch (error) {
    if (EngineError.isInstance(error)) throw error;
    signal?.throwIfAborted();
    if (!isStalled) throw brokenStream(request, "ended early", error);
  } finally {
    clearTimeout(timer);
    answer.destroy();
  }
  signal?.throwIfAborted();
  if (isStalled) {
    throw new EngineError({
      code: "ENGINE_STALLED",
      message: `the engine's answer to ${request} stopped: nothing for ${stallTimeoutMs} ms`,
      hint: "look whether the engine, or the registry it talks to, hangs",
      facts: { request, timeoutMs: stallTimeoutMs },
    });
  }
  if (!answer.complete) throw brokenStream(request, "ended early");
  readLine(rest, request, onLine);
}

function readLine(bytes: Buffer, request: string, onLine: ProgressStreamOptions["onLine"]): void {
  const text = bytes.toString("utf8").trim();
  if (text === "") return;
  let line: EngineProgress;
  try {
    line = JSON.parse(text) as EngineProgress;
  } catch (cause) {
    throw brokenStream(request, `has a line that is no JSON: ${text.slice(0, 100)}`, cause);
  }
  const failure = line.errorDetail?.message ?? line.error;
  if (failure !== undefined) {
    throw new EngineError({
      code: /no space left on device/i.test(failure) ? "ENGINE_DISK_FULL" : "ENGINE_REFUSED",
      message: `the engine could not ${request}: ${failure}`,
      hint: /no space left on device/i.test(failure)
        ? "free space where the engine keeps its data, for example with `docker system prune`"
        : undefined,
      facts: { request, answer: failure },
    });
  }
  onLine?.(line);
}
