import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  BundleError,
  type BundleManifest,
  type CallOptions,
  DeployError,
  type DeployResult,
  type DeployTarget,
} from "@clipper-serving/spec";
import { type CapturedModel, deployCaptured, type PlatformNeeds, platformFor } from "./deploy-captured.js";
import { type ApplicationOptions, withApplication } from "./endpoint.js";
import { findPython, type Interpreter } from "./find-python.js";
import { type ReplicaOptions, resolveModelOptions } from "./model-options.js";

export interface SavedBundleOptions extends ReplicaOptions, ApplicationOptions {
  /** Directory that `clipper_runtime.save_bundle` wrote. The model's name, version, input type and sample are in it. */
  readonly bundle: string;
  /** Interpreter to make the environment from. Default: the first of `$VIRTUAL_ENV`, `python3.X` and `python3` that answers, X being the bundle's. */
  readonly python?: string;
}

/** A bundle as it was found, with what it is going to be installed for. */
export interface FoundBundle {
  readonly directory: string;
  readonly digest: string;
  readonly manifest: BundleManifest;
  readonly python: Interpreter;
}

/** What one runtime's bundles need besides. */
export type BundleNeeds = Pick<CapturedModel, "env" | "settings" | "resources" | "preflightTimeoutMs"> &
  Pick<PlatformNeeds, "pyspark">;

/**
 * Deploys a function that `clipper_runtime.save_bundle` saved, in a notebook for instance; with `app` it then answers that application's queries.
 * @throws as `deployPythonClosure`; BundleError; DeployError `PYTHON_MISMATCH` before anything is done
 */
export function deployBundle(
  target: DeployTarget,
  options: SavedBundleOptions,
  call: CallOptions = {},
): Promise<DeployResult> {
  return deployFoundBundle(target, options, call, async ({ manifest, directory }) => {
    if (manifest.runtime === "python") return {};
    throw new BundleError({
      message: `the bundle ${directory} is for the runtime ${manifest.runtime}, not for Python functions`,
      hint: `deploy it by @clipper-serving/deployer-${manifest.runtime}`,
      facts: { runtime: manifest.runtime },
    });
  });
}

/** @param check refuses what cannot run here, and tells what the bundle's runtime needs */
export async function deployFoundBundle(
  target: DeployTarget,
  options: SavedBundleOptions,
  call: CallOptions,
  check: (bundle: FoundBundle) => Promise<BundleNeeds>,
): Promise<DeployResult> {
  const directory = path.resolve(options.bundle);
  const { digest, manifest } = await readManifest(directory);
  const { model, version, inputType } = resolveModelOptions({
    ...options,
    ...manifest,
    name: manifest.model,
  });
  const python = await pythonFor(manifest, options.python, call.signal);
  const { pyspark, ...needs } = await check({ directory, digest, manifest, python });
  if (python.minor !== manifest.pythonMinor) throw pythonMismatch(manifest, python);
  const platform = await platformFor(target, { python, replicas: options, pyspark }, call);
  const captured = {
    target: { model, version, inputType },
    directory,
    digest,
    python,
    platform,
    replicas: options,
  };
  const deploy = () => deployCaptured(target, { ...captured, ...needs }, call);
  return options.app === undefined
    ? deploy()
    : withApplication(target, { ...options, model, inputType }, call, deploy);
}

async function readManifest(directory: string): Promise<{ digest: string; manifest: BundleManifest }> {
  const file = path.join(directory, "manifest.json");
  try {
    const text = await readFile(file, "utf8");
    const manifest = JSON.parse(text) as BundleManifest;
    if (manifest.formatVersion !== 1) throw new TypeError(`its format version is ${manifest.formatVersion}`);
    return { digest: `sha256:${createHash("sha256").update(text).digest("hex")}`, manifest };
  } catch (cause) {
    throw new BundleError({
      message: `${directory} holds no bundle that can be read: ${(cause as Error).message}`,
      hint: "name the directory that clipper_runtime.save_bundle wrote",
      facts: { directory },
      cause,
    });
  }
}

async function pythonFor(
  { pythonMinor }: BundleManifest,
  python: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Interpreter> {
  const found = await findPython({ python, signal });
  if (python !== undefined || found.minor === pythonMinor) return found;
  // Where there is none of that minor, the one that there is says what is wrong.
  return findPython({ python: `python${pythonMinor}`, signal }).catch(() => found);
}

function pythonMismatch({ model, version, pythonMinor }: BundleManifest, python: Interpreter): DeployError {
  return new DeployError({
    code: "PYTHON_MISMATCH",
    step: "environment",
    model,
    version,
    message: `the function was captured by Python ${pythonMinor}, and ${python.path} is Python ${python.minor}`,
    hint: `name an interpreter of Python ${pythonMinor} with \`python\` (on the command line --python)`,
    facts: { bundle: pythonMinor, interpreter: python.minor, python: python.path },
  });
}
