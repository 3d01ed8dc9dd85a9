import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { pythonPath } from "@clipper-serving/container-runtime";
import { type CallOptions, DeployError, type DeployStep, type ModelVersion } from "@clipper-serving/spec";

/** How the asset's tools say that they failed. */
interface ToolFailure {
  readonly ok: false;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string | null;
    readonly facts?: Readonly<Record<string, unknown>>;
  };
}

export interface PythonToolRun {
  /** The interpreter. */
  readonly python: string;
  /** Such as `clipper_runtime.capture`. */
  readonly module: string;
  readonly args: readonly string[];
  readonly step: DeployStep;
  readonly target: ModelVersion;
  /** The whole run, ms. */
  readonly timeoutMs: number;
  /** Besides this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

const LOG_LINES = 50;
/** Before each JSON line in which a tool says what it is doing. */
const PROGRESS_PREFIX = "clipper-progress: ";

/**
 * Runs one of the Python asset's tools and reads its report. What the user's code prints goes to progress and, on failure, into the error's log.
 * @throws DeployError with the code the tool reported; the signal's reason
 */
export async function runPythonTool<Report>(
  run: PythonToolRun,
  { signal, onProgress }: CallOptions,
): Promise<Report> {
  signal?.throwIfAborted();
  const directory = await mkdtemp(path.join(tmpdir(), "clipper-report-"));
  const reportFile = path.join(directory, "report.json");
  const log: string[] = [];
  try {
    const exit = await runToEnd(run, reportFile, signal, (line) => {
      const told = line.startsWith(PROGRESS_PREFIX) ? progressText(line.slice(PROGRESS_PREFIX.length)) : line;
      log.push(told);
      onProgress?.({ step: run.step, state: "advanced", message: told });
    });
    signal?.throwIfAborted();
    const text = await readFile(reportFile, "utf8").catch(() => undefined);
    const report = text === undefined ? undefined : (JSON.parse(text) as { ok: boolean } | ToolFailure);
    if (report?.ok === true) return report as Report;
    throw failureOf(run, report as ToolFailure | undefined, exit, log.slice(-LOG_LINES));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function progressText(json: string): string {
  try {
    return (JSON.parse(json) as { text: string }).text;
  } catch {
    // A line cut short is still worth showing.
    return json;
  }
}

interface Exit {
  readonly code: number | undefined;
  readonly reason: string;
}

function runToEnd(
  { python, module, args, timeoutMs, env }: PythonToolRun,
  reportFile: string,
  signal: AbortSignal | undefined,
  onLine: (line: string) => void,
): Promise<Exit> {
  return new Promise((resolve) => {
    const child = spawn(python, ["-m", module, ...args, "--report", reportFile], {
      // A group of its own, so that what the user's code started ends with it.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        ...env,
        PYTHONPATH: [pythonPath, process.env.PYTHONPATH].filter(Boolean).join(path.delimiter),
        // The same source must give the same pickle, or a second deploy of it would look like another one.
        PYTHONHASHSEED: "0",
        PYTHONUNBUFFERED: "1",
      },
    });
    let timedOut = false;
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended already.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    signal?.addEventListener("abort", kill, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", onLine);
    }
    const settle = (exit: Exit) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
      resolve(exit);
    };
    child.once("error", (error) =>
      settle({ code: undefined, reason: `${python} did not start: ${error.message}` }),
    );
    child.once("close", (code, killedBy) => {
      if (timedOut) settle({ code: undefined, reason: `it took longer than ${timeoutMs} ms and was ended` });
      else if (code === null) settle({ code: undefined, reason: `it was ended by ${killedBy}` });
      else settle({ code, reason: `it exited with code ${code}` });
    });
  });
}

const CODE_WITHOUT_REPORT = {
  capture: "CAPTURE_FAILED",
  environment: "ENVIRONMENT_FAILED",
  preflight: "PREFLIGHT_FAILED",
} as const;

function failureOf(
  run: PythonToolRun,
  report: ToolFailure | undefined,
  exit: Exit,
  log: readonly string[],
): DeployError {
  const { step, target } = run;
  if (report === undefined) {
    return new DeployError({
      ...target,
      step,
      code: CODE_WITHOUT_REPORT[step as keyof typeof CODE_WITHOUT_REPORT],
      message: exit.reason,
      exitCode: exit.code,
      log,
    });
  }
  const { code, message, hint, facts } = report.error;
  return new DeployError({
    ...target,
    step,
    code,
    message,
    hint: hint ?? undefined,
    facts: facts ?? {},
    log,
  });
}
