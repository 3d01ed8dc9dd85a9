import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { CallOptions } from "@clipper-serving/spec";
import { ImageError } from "../image-error.js";
import { type DirectoryContent, directoryEntries } from "./directory-entries.js";
import type { LayerEntry } from "./layer-entry.js";

export interface BytecodeRequest {
  /** Of the Python sources. */
  readonly directory: string;
  readonly content: DirectoryContent;
  /** Where they lie in the image: what tracebacks say. */
  readonly place: string;
  /** An interpreter of the image's minor version. */
  readonly python: string;
  /** Compiled files are kept below it, a directory for each stamp. */
  readonly cacheDirectory: string;
}

/**
 * Compiled Python for a layer: in a read-only container nothing else could keep it, and importing scikit-learn takes three times as
 * long without. Equal sources give equal bytes: the files are bound to their sources by content, not by time.
 * @throws ImageError `BYTECODE_FAILED` when the interpreter cannot be run; a source that is no Python is left out
 */
export async function bytecodeEntries(
  request: BytecodeRequest,
  call: CallOptions = {},
): Promise<readonly LayerEntry[]> {
  const { directory, content, place, python, cacheDirectory } = request;
  const key = createHash("sha256")
    .update(`${python}\n${directory}\n${place}\n${content.stamp}`)
    .digest("hex");
  const kept = path.join(cacheDirectory, key.slice(0, 32));
  if (!(await isThere(kept))) {
    await mkdir(cacheDirectory, { recursive: true });
    const message = `compiling the Python sources of /${place}`;
    call.onProgress?.({ step: "image-assemble", state: "advanced", message });
    const temporary = await mkdtemp(path.join(cacheDirectory, "making-"));
    try {
      const parallel = content.entries.length > WORTH_ALL_CORES;
      await compile({ python, directory, place, parallel, output: temporary, signal: call.signal });
      const made = path.join(temporary, path.relative("/", directory));
      await mkdir(made, { recursive: true });
      await rename(made, kept).catch(async (error: unknown) => {
        // Another process has made the same meanwhile.
        if (!(await isThere(kept))) throw error;
      });
    } finally {
      await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
    }
  }
  const { entries } = await directoryEntries({ directory: kept, place });
  return entries.flatMap((entry) =>
    entry.kind === "file" ? [{ ...entry, path: besideSource(entry.path) }] : [],
  );
}

/** `a/b/c.cpython-311.pyc` → `a/b/__pycache__/c.cpython-311.pyc` */
function besideSource(file: string): string {
  return path.posix.join(path.posix.dirname(file), "__pycache__", path.posix.basename(file));
}

/** Starting Python once for each core takes as long as compiling some hundred files. */
const WORTH_ALL_CORES = 500;

interface Compilation {
  readonly python: string;
  readonly directory: string;
  readonly place: string;
  readonly parallel: boolean;
  readonly output: string;
  readonly signal: AbortSignal | undefined;
}

async function compile({ python, directory, place, parallel, output, signal }: Compilation): Promise<void> {
  const options = ["-qq", "-j", parallel ? "0" : "1", "--invalidation-mode", "unchecked-hash"];
  const places = ["-s", directory, "-p", `/${place}`];
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const { PYTHONPATH: _path, PYTHONHOME: _home, ...env } = process.env;
  const child = spawn(
    python,
    ["-X", `pycache_prefix=${output}`, "-m", "compileall", ...options, ...places, directory],
    {
      // What is in the current directory must not be imported.
      cwd: output,
      env: { ...env, PYTHONHASHSEED: "0" },
      stdio: ["ignore", "ignore", "pipe"],
      ...(signal === undefined ? {} : { signal }),
    },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4_000);
  });
  child.on("error", (error) => {
    // Called off: what still runs still writes.
    if (signal?.aborted && child.pid !== undefined) child.once("exit", () => reject(signal.reason));
    else reject(failed(python, error.message, error));
  });
  child.on("close", resolve);
  const code = await promise;
  // 1: there was a source that does not compile, such as a template; Python itself would not import it either.
  if (code !== 0 && code !== 1) throw failed(python, said.trim() || `it ended with ${code}`);
}

function failed(python: string, said: string, cause?: Error): ImageError {
  return new ImageError({
    code: "BYTECODE_FAILED",
    message: `${python} could not compile Python sources: ${said}`,
    hint: "check that this interpreter runs, and that there is space left on the disk",
    facts: { python },
    cause,
  });
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
