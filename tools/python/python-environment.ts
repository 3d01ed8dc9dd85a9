import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../run-command.ts";

const defaultRequirements = join(import.meta.dirname, "requirements.txt");

export interface PythonEnvironmentOptions {
  /** A requirements file with exact pins; default: what the tests of the Python runtime need. */
  requirements?: string;
  /** What makes the environment; default `python3`. */
  python?: string;
}

/**
 * A virtual environment with the given packages, made once and kept in the user's cache directory.
 * @returns absolute path of its `python`
 */
export async function pythonEnvironment(options: PythonEnvironmentOptions = {}): Promise<string> {
  const requirements = options.requirements ?? defaultRequirements;
  const python = options.python ?? "python3";
  const identity = await runChecked(python, ["-c", "import sys; print(sys.version, sys.executable)"]);
  const key = createHash("sha256")
    .update(identity)
    .update(readFileSync(requirements))
    .digest("hex")
    .slice(0, 16);
  const directory = join(cacheDirectory(), "clipper-development", `python-${key}`);
  const interpreter = join(directory, "bin", "python");
  if (existsSync(interpreter)) return interpreter;

  // Made under another name and renamed when complete, so that an interrupted or a second one does no harm. Its
  // scripts name the old path, so that only its `python -m …` is to be used.
  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    await runChecked(python, ["-m", "venv", unfinished]);
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--requirement",
      requirements,
    ];
    await runChecked(join(unfinished, "bin", "python"), pip);
    if (!existsSync(interpreter)) renameSync(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return interpreter;
}

function cacheDirectory(): string {
  return process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
}

async function runChecked(command: string, commandArguments: readonly string[]): Promise<string> {
  const { code, output } = await runCommand(command, commandArguments);
  if (code !== 0) throw new Error(`${command} ${commandArguments.join(" ")} exited with ${code}:\n${output}`);
  return output;
}
