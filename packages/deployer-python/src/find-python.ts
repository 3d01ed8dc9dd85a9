import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { ManagerError } from "@clipper-serving/spec";

const run = promisify(execFile);

export interface Interpreter {
  /** Absolute. */
  readonly path: string;
  /** `3.11`. */
  readonly minor: string;
}

const OLDEST_MINOR = 10;

/**
 * Which interpreter a function is captured in: the one named, else the active virtual environment's, else `.venv` beside the file, else `python3`.
 * @param functionFile the file that holds the function, when it is a file
 * @throws ManagerError `PYTHON_NOT_FOUND`, `UNSUPPORTED_PYTHON`
 */
export async function findPython(options: {
  readonly python?: string | undefined;
  readonly functionFile?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}): Promise<Interpreter> {
  const { python, functionFile, env = process.env, signal } = options;
  const candidates = python === undefined ? await defaultCandidates(functionFile, env) : [python];
  const tried: string[] = [];
  for (const candidate of candidates) {
    const found = await ask(candidate, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      tried.push(`${candidate}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
      return undefined;
    });
    if (found !== undefined) return checkMinor(found);
  }
  throw new ManagerError({
    manager: "python",
    code: "PYTHON_NOT_FOUND",
    message: `no Python interpreter answers: ${tried.join("; ")}`,
    hint: "name one with `python` (on the command line --python), or activate a virtual environment",
    facts: { tried },
  });
}

async function defaultCandidates(
  functionFile: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const environments = [
    env.VIRTUAL_ENV,
    functionFile === undefined ? undefined : path.join(path.dirname(path.resolve(functionFile)), ".venv"),
  ];
  const candidates: string[] = [];
  for (const environment of environments) {
    if (!environment) continue;
    const python = path.join(environment, "bin", "python");
    if (await isExecutable(python)) candidates.push(python);
  }
  return [...candidates, "python3"];
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function ask(python: string, signal: AbortSignal | undefined): Promise<Interpreter> {
  const { stdout } = await run(
    python,
    ["-c", "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])"],
    { timeout: 10_000, ...(signal === undefined ? {} : { signal }) },
  );
  const [executable = python, minor = ""] = stdout.trim().split("\n");
  return { path: executable, minor };
}

function checkMinor(interpreter: Interpreter): Interpreter {
  const [major, minor] = interpreter.minor.split(".").map(Number);
  if (major === 3 && minor !== undefined && minor >= OLDEST_MINOR) return interpreter;
  throw new ManagerError({
    manager: "python",
    code: "UNSUPPORTED_PYTHON",
    message: `${interpreter.path} is Python ${interpreter.minor}; 3.${OLDEST_MINOR} or newer is needed`,
    hint: "name a newer one with `python` (on the command line --python)",
    facts: { python: interpreter.path, minor: interpreter.minor },
  });
}
