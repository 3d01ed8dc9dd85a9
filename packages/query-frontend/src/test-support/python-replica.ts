import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const RUNTIME = fileURLToPath(new URL("../../../container-runtime/python", import.meta.url));

/** Writes a model bundle whose function `predict` is in a module of its own: it needs no package, not even to be captured. */
async function writeBundle(
  directory: string,
  { model, version, source }: { model: string; version: string; source: string },
): Promise<void> {
  const minor = execFileSync("python3", ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
  const files: Record<string, string> = { "environment/lock.txt": "", "modules/served_function.py": source };
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text);
  }
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const manifest = {
    formatVersion: 1,
    model,
    version,
    inputType: "doubles",
    entry: { kind: "reference", module: "served_function", function: "predict" },
    runtime: "python",
    pythonMinor: minor.toString().trim(),
    cloudpickleVersion: "",
    environmentDigest: sha256(""),
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)])),
  };
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
}

/** Starts a replica in a process of its own. What it logs is given to `onLog`. */
export async function startPythonReplica(options: {
  directory: string;
  model: string;
  version: string;
  /** Python, with a function `predict(inputs)`. */
  source: string;
  frontend: string;
  onLog?: (text: string) => void;
}): Promise<{ child: ChildProcess; stop: () => Promise<void> }> {
  const { directory, frontend, onLog = () => undefined } = options;
  await writeBundle(directory, options);
  const child = spawn("python3", ["-m", "clipper_runtime.replica"], {
    env: {
      ...process.env,
      PYTHONPATH: RUNTIME,
      PYTHONDONTWRITEBYTECODE: "1",
      CLIPPER_BUNDLE: directory,
      CLIPPER_FRONTENDS: frontend,
      CLIPPER_INSTANCE: "python-1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.on("data", (chunk) => onLog(String(chunk)));
  child.stderr.on("data", (chunk) => onLog(String(chunk)));
  return {
    child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
