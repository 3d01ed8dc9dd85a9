import { mkdir, utimes } from "node:fs/promises";
import path from "node:path";
import {
  type BundleManifest,
  type CallOptions,
  environmentName,
  type ModelVersion,
} from "@clipper-serving/spec";
import type { Interpreter } from "./find-python.js";
import { runPythonTool } from "./python-tool.js";

const INSTALL_TIMEOUT_MS = 15 * 60_000;

interface EnvironmentReport {
  readonly ok: true;
  /** The environment was there already. */
  readonly reused: boolean;
  /** `uv` or `pip`. */
  readonly maker: string;
  readonly packages: number;
}

export interface Environment {
  readonly directory: string;
  /** Its interpreter. */
  readonly python: string;
}

export interface EnvironmentRequest {
  readonly target: ModelVersion;
  /** Directory of the bundle, whose lock is installed. */
  readonly bundle: string;
  readonly manifest: BundleManifest;
  readonly python: Interpreter;
  readonly workDirectory: string;
  readonly scratch: string;
  /** What its packages are for, where it is another than this machine: `linux/arm64`. */
  readonly platform?: string | undefined;
}

/**
 * Makes the bundle's environment, or finds it made: one per lock, interpreter and platform, shared by all versions that have the same.
 * @throws DeployError at step `environment`
 */
export async function makeEnvironment(request: EnvironmentRequest, call: CallOptions): Promise<Environment> {
  const { target, bundle, manifest, python, workDirectory, scratch, platform } = request;
  const environments = path.join(workDirectory, "environments");
  await mkdir(environments, { recursive: true });
  const name = [environmentName(manifest), ...(platform?.split("/") ?? [])].join("-");
  const directory = path.join(environments, name);
  await touch(directory);
  const whose = platform === undefined ? "" : ` for ${platform}`;
  call.onProgress?.({ step: "environment", state: "started", message: `preparing the environment${whose}` });
  const { reused, maker, packages } = await runPythonTool<EnvironmentReport>(
    {
      python: python.path,
      module: "clipper_runtime.environment",
      args: [
        "--lock",
        path.join(bundle, "environment", "lock.txt"),
        "--python",
        python.path,
        "--output",
        directory,
        ...(platform === undefined ? [] : ["--platform", platform]),
      ],
      step: "environment",
      target,
      scratch,
      timeoutMs: INSTALL_TIMEOUT_MS,
    },
    call,
  );
  call.onProgress?.({
    step: "environment",
    state: reused ? "skipped" : "done",
    message: `environment of ${packages} packages${whose} ${reused ? "was there" : `made by ${maker}`}`,
  });
  return { directory, python: path.join(directory, "bin", "python") };
}

/** One that is used is not removed as one that nobody needs. */
async function touch(directory: string): Promise<void> {
  const now = new Date();
  await utimes(directory, now, now).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
