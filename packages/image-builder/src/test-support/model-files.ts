import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BundleManifest } from "@clipper-serving/spec";
import type { BundleSource } from "../layers/bundle-layers.js";

export const pythonMinor: string = execFileSync(
  "python3",
  ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
  { encoding: "utf8" },
).trim();

/** Writes files below a directory. @param seconds their time of change, since 1970 */
export function writeTree(root: string, files: Readonly<Record<string, string>>, seconds?: number): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (seconds !== undefined) utimesSync(file, seconds, seconds);
  }
}

/** A virtual environment with one package, as the runtime's own tool leaves it. */
export function makeEnvironment(directory: string, packageText = "VALUE = 42\n"): void {
  execFileSync("python3", ["-m", "venv", "--without-pip", directory]);
  const site = `lib/python${pythonMinor}/site-packages`;
  writeTree(directory, {
    ".complete": JSON.stringify({ made: directory }),
    [`${site}/answers/__init__.py`]: packageText,
    [`${site}/answers/broken.py`]: "this is no Python\n",
    [`${site}/answers-1.0.dist-info/METADATA`]: "Name: answers\nVersion: 1.0\n",
    [`${site}/answers-1.0.dist-info/direct_url.json`]: JSON.stringify({ url: `file://${directory}` }),
    [`${site}/answers/__pycache__/used.cpython-311.pyc`]: directory,
  });
}

export function makeRuntime(directory: string): void {
  writeTree(directory, {
    "clipper_runtime/__init__.py": "",
    "clipper_runtime/replica.py": "print('a replica')\n",
    "clipper_runtime/.ruff_cache/x": directory,
  });
}

export function makeBundle(directory: string, functionText = "the function"): BundleSource {
  const files: Record<string, string> = {
    "environment/lock.txt": "answers==1.0\n",
    "function.pkl": functionText,
    "modules/helper.py": "def help(): pass\n",
  };
  writeTree(directory, { ...files, "modules/stray.pyc": "not in the manifest" });
  const manifest: BundleManifest = {
    formatVersion: 1,
    model: "digits",
    version: "1",
    inputType: "doubles",
    entry: { kind: "pickle", file: "function.pkl" },
    runtime: "python",
    pythonMinor,
    cloudpickleVersion: "3.1.0",
    environmentDigest: hexOf(files["environment/lock.txt"]!),
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, hexOf(text)])),
  };
  const text = JSON.stringify(manifest);
  writeTree(directory, { "manifest.json": text });
  return { directory, digest: `sha256:${hexOf(text)}`, manifest };
}

function hexOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
