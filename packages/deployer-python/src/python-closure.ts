import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pythonPath } from "@clipper-serving/container-runtime";
import {
  type BatchFloor,
  BundleError,
  type BundleInfo,
  type CallOptions,
  type DeployResult,
  type DeployTarget,
  type ModelVersion,
  UnsupportedError,
  VersionExistsError,
} from "@clipper-serving/spec";
import { captureFunction } from "./capture.js";
import {
  type PythonClosureOptions,
  type ResolvedClosureOptions,
  resolveClosureOptions,
} from "./closure-options.js";
import { makeEnvironment } from "./environment.js";
import { findPython, type Interpreter } from "./find-python.js";
import { preflight } from "./preflight.js";

/**
 * Puts a Python function behind a model version: captured in the caller's own interpreter, its packages locked and installed, tried on the sample, run as
 * replicas, and made current once they are connected. What served goes on serving when any of it fails.
 *
 * The same content under the same name and version again is success, with `unchanged: true`.
 * @throws DeployError with the step and a stable code, VersionExistsError, InvalidNameError, InvalidArgumentError
 */
export async function deployPythonClosure(
  target: DeployTarget,
  options: PythonClosureOptions,
  call: CallOptions = {},
): Promise<DeployResult> {
  const resolved = resolveClosureOptions(options);
  if (target.capabilities.program !== "directory") {
    throw new UnsupportedError({ manager: target.cluster, what: "Python functions as directory programs" });
  }
  const python = await findPython({
    python: resolved.python,
    functionFile: resolved.functionFile,
    signal: call.signal,
  });
  const captured = await mkdtemp(path.join(tmpdir(), "clipper-bundle-"));
  try {
    const directory = path.join(captured, "bundle");
    const { digest } = await captureFunction({ ...resolved, python, directory }, call);
    const known = await target.getVersion(resolved, call);
    if (known !== undefined && known.contentDigest !== digest) {
      const { model, version } = resolved;
      throw new VersionExistsError({
        model,
        version,
        deployedDigest: known.contentDigest,
        newDigest: digest,
      });
    }
    if (known?.isCurrent) {
      call.onProgress?.({
        step: "deploy",
        state: "skipped",
        message: `${resolved.model}:${resolved.version} is deployed already`,
      });
      return {
        model: resolved.model,
        version: resolved.version,
        unchanged: true,
        replicas: resolved.replicas ?? 1,
      };
    }
    return await deployBundle(
      target,
      { resolved, python, bundle: await target.bundles.put(directory, call) },
      call,
    );
  } finally {
    await rm(captured, { recursive: true, force: true });
  }
}

interface BundleDeploy {
  readonly resolved: ResolvedClosureOptions;
  readonly python: Interpreter;
  readonly bundle: BundleInfo;
}

async function deployBundle(
  target: DeployTarget,
  { resolved, python, bundle }: BundleDeploy,
  call: CallOptions,
): Promise<DeployResult> {
  try {
    const directory = (await target.bundles.get(bundle.digest, call))?.directory;
    if (directory === undefined)
      throw new BundleError({ message: `bundle ${bundle.digest} was put and is not there` });
    const environment = await makeEnvironment(
      {
        target: resolved,
        bundle: directory,
        manifest: bundle.manifest,
        python,
        workDirectory: target.workDirectory,
      },
      call,
    );
    const floor = await preflight({ target: resolved, environment, bundle: directory }, call);
    return await target.deployModel(requestOf(resolved, bundle, directory, environment, floor), call);
  } catch (error) {
    await forget(target, resolved, bundle.digest);
    throw error;
  }
}

function requestOf(
  resolved: ResolvedClosureOptions,
  bundle: BundleInfo,
  directory: string,
  environment: string,
  floor: readonly BatchFloor[] | undefined,
) {
  const {
    model,
    version,
    inputType,
    replicas,
    labels,
    batchSize,
    keepWarm,
    readyTimeoutMs,
    resources,
    overlay,
    force,
  } = resolved;
  const optional = {
    replicas,
    labels,
    batchSize,
    keepWarm,
    readyTimeoutMs,
    resources,
    overlay,
    force,
    floor,
  };
  return {
    model,
    version,
    inputType,
    contentDigest: bundle.digest,
    bundleDigest: bundle.digest,
    program: { kind: "directory", path: directory },
    command: [environment, "-m", "clipper_runtime.replica"],
    env: { PYTHONPATH: pythonPath, CLIPPER_BUNDLE: directory, PYTHONUNBUFFERED: "1" },
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<
      Pick<
        ResolvedClosureOptions,
        "replicas" | "labels" | "batchSize" | "keepWarm" | "readyTimeoutMs" | "overlay" | "force"
      >
    >),
  } as const;
}

/** Removes the bundle of a deploy that failed, unless a registered version is made of it. */
async function forget(target: DeployTarget, version: ModelVersion, digest: string): Promise<void> {
  try {
    if ((await target.getVersion(version))?.contentDigest !== digest) await target.bundles.remove(digest);
  } catch {
    // The deploy's own error says more; a bundle left behind is only disk, and the next deploy of it uses it.
  }
}
