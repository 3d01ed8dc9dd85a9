import { execFile } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { release } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { PlatformFacts } from "@clipper-serving/spec";

const PYTHON_NAMES = ["python3", ...[10, 11, 12, 13, 14].map((minor) => `python3.${minor}`)];
const PYTHON_ANSWER_MS = 10_000;
const ASK_PYTHON = 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)';
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

/** What this machine has for directory programs. */
export async function platformFacts(signal: AbortSignal | undefined): Promise<PlatformFacts> {
  const found = await Promise.all(pythonPaths().map((path) => askPython(path, signal)));
  signal?.throwIfAborted();
  const pythons = found.filter((python) => python !== undefined);
  // Several names of one interpreter are one; the first, `python3`, is the user's choice.
  const distinct = pythons.filter(
    ({ path }, index) =>
      pythons.findIndex((other) => realpathSync(other.path) === realpathSync(path)) === index,
  );
  return {
    platforms: [`${process.platform}/${ARCHITECTURES[process.arch] ?? process.arch}`],
    pythons: distinct,
    gpus: 0,
    versions: { node: process.versions.node, [process.platform]: release() },
  };
}

/** The first of each name on PATH, as a shell would find it. */
function pythonPaths(): string[] {
  const directories = (process.env.PATH ?? "").split(delimiter).filter((directory) => directory !== "");
  return PYTHON_NAMES.flatMap(
    (name) => directories.map((directory) => join(directory, name)).find(isExecutable) ?? [],
  );
}

async function askPython(
  path: string,
  signal: AbortSignal | undefined,
): Promise<PlatformFacts["pythons"][number] | undefined> {
  try {
    const options = { timeout: PYTHON_ANSWER_MS, signal };
    const { stdout } = await promisify(execFile)(path, ["-I", "-c", ASK_PYTHON], options);
    const [minor, executable] = stdout.trim().split("\n");
    return minor === undefined || !executable ? undefined : { minor, path: executable };
  } catch {
    // A stand-in that finds no interpreter behind it, or one that does not answer: it cannot run a program either.
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not a program.
    return false;
  }
}
