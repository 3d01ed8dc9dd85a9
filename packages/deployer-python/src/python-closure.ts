import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pythonPath } from "@clipper-serving/container-runtime";
import {
  type BatchFloor,
  BundleError,
  type BundleInfo,
  type CallOptions,
  type DeployModelRequest,
  type DeployResult,
  type DeployTarget,
  type PythonPlatform,
  type PythonProgram,
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
  const python = await findPython({
    python: resolved.python,
    functionFile: resolved.functionFile,
    signal: call.signal,
  });
  const platform = await target.pythonPlatform(
    {
      pythonMinor: python.minor,
      ...(resolved.baseImage === undefined ? {} : { baseImage: resolved.baseImage }),
    },
    call,
  );
  const captured = await mkdtemp(path.join(tmpdir(), "clipper-bundle-"));
  try {
    const directory = path.join(captured, "bundle");
    const { digest } = await captureFunction({ ...resolved, python, directory }, call);
    const known = await target.getVersion(resolved, call);
    const contentDigest = contentDigestOf(digest, resolved);
    if (known !== undefined && known.contentDigest !== contentDigest) {
      const { model, version } = resolved;
      throw new VersionExistsError({
        model,
        version,
        deployedDigest: known.contentDigest,
        newDigest: contentDigest,
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
      { resolved, python, platform, bundle: await target.bundles.put(directory, call) },
      call,
    );
  } finally {
    await rm(captured, { recursive: true, force: true });
  }
}

interface BundleDeploy {
  readonly resolved: ResolvedClosureOptions;
  readonly python: Interpreter;
  readonly platform: PythonPlatform;
  readonly bundle: BundleInfo;
}

async function deployBundle(
  target: DeployTarget,
  { resolved, python, platform, bundle }: BundleDeploy,
  call: CallOptions,
): Promise<DeployResult> {
  try {
    const kept = await target.bundles.get(bundle.digest, call);
    if (kept === undefined)
      throw new BundleError({ message: `bundle ${bundle.digest} was put and is not there` });
    const environment = await makeEnvironment(
      {
        target: resolved,
        bundle: kept.directory,
        manifest: kept.manifest,
        python,
        workDirectory: target.workDirectory,
      },
      call,
    );
    const floor = await preflight(
      { target: resolved, environment: environment.python, bundle: kept.directory },
      call,
    );
    const program = await platform.program(
      { bundle: kept, environment: environment.directory, pythonPath },
      call,
    );
    return await target.deployModel(requestOf(resolved, bundle.digest, program, floor), call);
  } catch (error) {
    await forget(target, resolved, bundle.digest);
    throw error;
  }
}

function requestOf(
  resolved: ResolvedClosureOptions,
  digest: string,
  program: PythonProgram,
  floor: readonly BatchFloor[] | undefined,
): DeployModelRequest {
  const { model, version, inputType } = resolved;
  const { replicas, labels, batchSize, keepWarm, readyTimeoutMs, resources, overlay, force } = resolved;
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
    contentDigest: contentDigestOf(digest, resolved),
    bundleDigest: digest,
    ...program,
    ...(Object.fromEntries(
      Object.entries(optional).filter(([, value]) => value !== undefined),
    ) as Partial<DeployModelRequest>),
  };
}

/** The same bundle on another base is another model image. */
function contentDigestOf(digest: string, { baseImage }: ResolvedClosureOptions): string {
  if (baseImage === undefined) return digest;
  return `sha256:${createHash("sha256").update(`${digest}\n${baseImage}`).digest("hex")}`;
}

/** Removes the bundle of a deploy that failed, unless a registered version is made of it. */
async function forget(target: DeployTarget, resolved: ResolvedClosureOptions, digest: string): Promise<void> {
  try {
    const known = await target.getVersion(resolved);
    if (known?.contentDigest !== contentDigestOf(digest, resolved)) await target.bundles.remove(digest);
  } catch {
    // The deploy's own error says more; a bundle left behind is only disk, and the next deploy of it uses it.
  }
}
