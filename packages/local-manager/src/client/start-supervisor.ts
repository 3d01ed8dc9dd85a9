import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { ManagerError, TimeoutError } from "@clipper-serving/spec";
import { builtPath } from "../built-file.js";
import type { ClusterPaths } from "../cluster-paths.js";
import type { ResolvedLocalManagerOptions } from "../local-options.js";
import { EXIT_OTHER_SUPERVISOR, type SupervisorFile } from "../protocol.js";
import { baseEnvironment } from "../supervisor/base-environment.js";
import { LEFTOVER_GRACE_MS } from "../supervisor/leftovers.js";
import { MANAGER } from "../wire-error.js";
import { readSupervisorFile } from "./supervisor-connection.js";

const LOOK_INTERVAL_MS = 5;
/** A new supervisor first ends what an earlier one left. */
const START_TIMEOUT_MS = 2 * LEFTOVER_GRACE_MS + 10_000;
const LARGEST_LOG_BYTES = 1024 * 1024;

export interface StartSupervisorOptions {
  readonly cluster: string;
  readonly options: ResolvedLocalManagerOptions;
  readonly paths: ClusterPaths;
  readonly signal?: AbortSignal | undefined;
}

/** Starts the cluster's supervisor, or waits for the one that another process is starting at the same time. */
export async function startSupervisor(start: StartSupervisorOptions): Promise<SupervisorFile> {
  const until = performance.now() + START_TIMEOUT_MS;
  let attempt: Attempt | undefined;
  for (;;) {
    start.signal?.throwIfAborted();
    const supervisor = readSupervisorFile(start.paths.supervisor);
    if (supervisor !== undefined) return supervisor;
    if (performance.now() > until) {
      throw new TimeoutError({
        what: `the start of cluster ${start.cluster}'s supervisor`,
        timeoutMs: START_TIMEOUT_MS,
      });
    }
    // One that lost the race is followed by another: the winner may itself have been on its way out.
    if (attempt === undefined || attempt.exitCode === EXIT_OTHER_SUPERVISOR) attempt = launch(start);
    else if (attempt.exitCode !== undefined) throw failure(start, attempt.exitCode);
    await wait(LOOK_INTERVAL_MS);
  }
}

interface Attempt {
  exitCode: number | undefined;
}

function launch({ cluster, options, paths }: StartSupervisorOptions): Attempt {
  mkdirSync(paths.directory, { recursive: true, mode: 0o700 });
  const log = openLog(paths.supervisorLog);
  const attempt: Attempt = { exitCode: undefined };
  const child = spawn(
    process.execPath,
    [builtPath("supervisor/main.js"), JSON.stringify({ ...options, cluster })],
    {
      cwd: "/",
      detached: true,
      env: baseEnvironment(process.env),
      stdio: ["ignore", log, log],
    },
  );
  closeSync(log);
  child.once("exit", (code) => {
    attempt.exitCode = code ?? 1;
  });
  child.once("error", () => {
    attempt.exitCode = 1;
  });
  child.unref();
  return attempt;
}

function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return openSync(path, size > LARGEST_LOG_BYTES ? "w" : "a", 0o600);
}

function failure({ cluster, paths }: StartSupervisorOptions, exitCode: number): ManagerError {
  const said = readFileSync(paths.supervisorLog, "utf8").trimEnd();
  return new ManagerError({
    manager: MANAGER,
    code: "SUPERVISOR_FAILED",
    message: `the supervisor of cluster ${cluster} ended with code ${exitCode} while it was starting`,
    // On a full disk it cannot even say so.
    hint:
      said === "" ? `see that ${paths.directory} can be written and has space` : `see ${paths.supervisorLog}`,
    facts: { exitCode, log: said.split("\n").slice(-20) },
  });
}
