import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { pythonPath } from "@clipper-serving/container-runtime";
import { type CallOptions, DeployError, type DeployStep, type ModelVersion } from "@clipper-serving/spec";
import { runToEnd, type ToolExit } from "./tool-process.js";

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
  /** Where its report is written: a directory that goes with the deploy. */
  readonly scratch: string;
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
  const reportFile = path.join(run.scratch, `${run.module}-${randomBytes(6).toString("hex")}.json`);
  const log: string[] = [];
  const exit = await runToEnd({
    command: run.python,
    args: ["-m", run.module, ...run.args, "--report", reportFile],
    env: environmentOf(run),
    timeoutMs: run.timeoutMs,
    signal,
    onLine: (line) => {
      const told = line.startsWith(PROGRESS_PREFIX) ? progressText(line.slice(PROGRESS_PREFIX.length)) : line;
      log.push(told);
      if (log.length > LOG_LINES) log.shift();
      onProgress?.({ step: run.step, state: "advanced", message: told });
    },
  });
  signal?.throwIfAborted();
  const report = await readReport<Report>(reportFile);
  if (report?.ok === true) return report as Report;
  throw failureOf(run, report as ToolFailure | undefined, exit, log);
}

function progressText(json: string): string {
  try {
    return (JSON.parse(json) as { text: string }).text;
  } catch {
    // A line cut short is still worth showing.
    return json;
  }
}

function environmentOf({ env }: PythonToolRun): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...env,
    PYTHONPATH: [pythonPath, process.env.PYTHONPATH].filter(Boolean).join(path.delimiter),
    // The same source must give the same pickle, or a second deploy of it would look like another one.
    PYTHONHASHSEED: "0",
    PYTHONUNBUFFERED: "1",
  };
}

/** @returns undefined where there is none, or one that is no report: its writer did not come that far */
async function readReport<Report>(file: string): Promise<(Report & { ok: true }) | ToolFailure | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as (Report & { ok: true }) | ToolFailure;
  } catch {
    return undefined;
  }
}

const CODE_WITHOUT_REPORT = {
  capture: "CAPTURE_FAILED",
  environment: "ENVIRONMENT_FAILED",
  preflight: "PREFLIGHT_FAILED",
} as const;

function failureOf(
  run: PythonToolRun,
  report: ToolFailure | undefined,
  exit: ToolExit,
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
