import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonPath } from "@clipper-serving/container-runtime";
import type { BundleSource } from "@clipper-serving/image-builder";
import type { BundleManifest } from "@clipper-serving/spec";
import { pythonEnvironment } from "../../tools/python/python-environment.ts";

const run = promisify(execFile);

/** Captures a function of `e2e/docker/models` with the runtime's own tool. @param reference `mean.py:mean` */
export async function captureModel(reference: string, directory: string): Promise<BundleSource> {
  const python = await pythonEnvironment();
  const options = {
    function: join(import.meta.dirname, "models", reference),
    name: "mean",
    version: "1",
    "input-type": "doubles",
    sample: "[1, 2, 6]",
    output: directory,
  };
  const { digest } = await runtimeTool<{ digest: string }>(python, "capture", options);
  const manifest = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8")) as BundleManifest;
  return { directory, digest, manifest };
}

/** Makes the environment of a lock with the runtime's own tool. @param env added to this process's, such as the address of an index */
export async function makeEnvironment(
  lock: string,
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await runtimeTool("python3", "environment", { lock, output: directory }, env);
}

/** What a tool of the runtime answers on its last line. */
async function runtimeTool<Answer>(
  python: string,
  tool: string,
  options: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const { stdout } = await run(python, ["-m", `clipper_runtime.${tool}`, ...words], {
    env: { ...process.env, PYTHONPATH: pythonPath, ...env },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Answer;
}
