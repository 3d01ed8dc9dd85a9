import { createHash } from "node:crypto";
import { pythonPath } from "@clipper-serving/container-runtime";
import {
  BundleError,
  type BundleInfo,
  type CallOptions,
  canonicalJson,
  DeployError,
  type DeployModelRequest,
  type DeployResult,
  type DeployTarget,
  type InputType,
  type ModelVersion,
  type PythonPlatform,
  type PythonPlatformRequest,
  type RegisteredVersion,
  VersionExistsError,
  type WorkloadResources,
} from "@clipper-serving/spec";
import { makeEnvironment } from "./environment.js";
import type { Interpreter } from "./find-python.js";
import { forgetBundle } from "./forget-bundle.js";
import type { ReplicaOptions } from "./model-options.js";
import { preflight } from "./preflight.js";

/** A model bundle on this machine, and how it is to be served. */
export interface CapturedModel {
  readonly target: ModelVersion & { readonly inputType: InputType };
  /** Of the bundle; read, never changed. */
  readonly directory: string;
  readonly digest: string;
  /** What its environment is made from: an interpreter of the minor that captured it. */
  readonly python: Interpreter;
  /** What its replicas run on: asked for before anything was captured, so that what cannot run here is refused early. */
  readonly platform: PythonPlatform;
  readonly replicas: ReplicaOptions;
  /** Of preflight and replicas. */
  readonly env?: Readonly<Record<string, string>>;
  /** What else tells two deploys of one bundle apart, as JSON: they are then other content of one version. */
  readonly settings?: unknown;
  /** Of each replica, under what `replicas` says of them. */
  readonly resources?: WorkloadResources;
  /** For loading and trying it, ms. Default 60,000. */
  readonly preflightTimeoutMs?: number;
}

/** What a platform is chosen by. */
export interface PlatformNeeds {
  readonly python: Interpreter;
  readonly replicas: ReplicaOptions;
  readonly pyspark?: PythonPlatformRequest["pyspark"] | undefined;
}

/** @throws ClipperError when Python of that minor, or what else is needed, does not run there */
export function platformFor(
  target: DeployTarget,
  { python, replicas: { baseImage }, pyspark }: PlatformNeeds,
  call: CallOptions,
): Promise<PythonPlatform> {
  return target.pythonPlatform(
    {
      pythonMinor: python.minor,
      ...(baseImage === undefined ? {} : { baseImage }),
      ...(pyspark === undefined ? {} : { pyspark }),
    },
    call,
  );
}

/**
 * From a captured bundle to a version that is current: environment, preflight, replicas, switch. The same content under the same name and version again
 * is success, with `unchanged: true`. What it made is removed when any of it fails.
 * @throws DeployError, VersionExistsError
 */
export async function deployCaptured(
  target: DeployTarget,
  captured: CapturedModel,
  call: CallOptions,
): Promise<DeployResult> {
  const { model, version } = captured.target;
  const contentDigest = contentDigestOf(captured);
  const known = await target.getVersion(captured.target, call);
  if (known !== undefined && known.contentDigest !== contentDigest) {
    const { contentDigest: deployedDigest } = known;
    throw new VersionExistsError({ model, version, deployedDigest, newDigest: contentDigest });
  }
  if (known?.isCurrent && (await hasItsImage(target, known, call))) {
    call.onProgress?.({
      step: "deploy",
      state: "skipped",
      message: `${model}:${version} is deployed already`,
    });
    return { model, version, unchanged: true, replicas: captured.replicas.replicas ?? 1 };
  }
  await using held = await target.bundles.hold(captured.digest);
  const wasKept = (await target.bundles.get(captured.digest, call)) !== undefined;
  const bundle = await target.bundles.put(captured.directory, call);
  try {
    return await deployKept(target, captured, bundle, contentDigest, call);
  } catch (error) {
    // What another deploy holds stays.
    await held[Symbol.asyncDispose]();
    await forgetBundle(target, {
      version: captured.target,
      digest: bundle.digest,
      contentDigest,
      wasKept,
      error,
    });
    throw error;
  }
}

/** An image that somebody removed from the engine is made again by the same deploy. */
async function hasItsImage(
  { images }: DeployTarget,
  { image }: RegisteredVersion,
  call: CallOptions,
): Promise<boolean> {
  return image === undefined || images === undefined || images.has(image, call);
}

async function deployKept(
  target: DeployTarget,
  captured: CapturedModel,
  bundle: BundleInfo,
  contentDigest: string,
  call: CallOptions,
): Promise<DeployResult> {
  const kept = await target.bundles.get(bundle.digest, call);
  if (kept === undefined)
    throw new BundleError({ message: `bundle ${bundle.digest} was put and is not there` });
  const { python, platform, env = {}, preflightTimeoutMs } = captured;
  await using scratch = await target.scratch();
  const request = {
    target: captured.target,
    bundle: kept.directory,
    manifest: kept.manifest,
    python,
    workDirectory: target.workDirectory,
    scratch: scratch.directory,
  };
  const environment = await makeEnvironment(request, call);
  const { environmentPlatform } = platform;
  const travelling =
    environmentPlatform === undefined
      ? environment
      : await makeEnvironment({ ...request, platform: environmentPlatform }, call);
  const floor = await preflight(
    {
      target: captured.target,
      environment: environment.python,
      bundle: kept.directory,
      scratch: scratch.directory,
      env,
      ...(preflightTimeoutMs === undefined ? {} : { timeoutMs: preflightTimeoutMs }),
    },
    call,
  ).catch((error: unknown) => leaveToReplica(error, captured, call));
  const program = await platform.program(
    { bundle: kept, environment: travelling.directory, pythonPath },
    call,
  );
  return await target.deployModel(
    {
      ...captured.target,
      ...replicaOptionsOf(captured.replicas),
      ...resourcesOf(captured),
      ...(floor === undefined ? {} : { floor }),
      contentDigest,
      bundleDigest: bundle.digest,
      ...program,
      env: { ...env, ...program.env },
    },
    call,
  );
}

/**
 * What only the user's own base image has cannot be tried on this machine. A replica runs the sample itself before it says that it is there, so one that
 * misses the module in its image too fails the deploy all the same, only later.
 * @throws `error` in every other case
 */
function leaveToReplica(
  error: unknown,
  { replicas: { baseImage } }: CapturedModel,
  call: CallOptions,
): undefined {
  if (baseImage === undefined || !DeployError.isInstance(error) || error.code !== "MODULE_MISSING")
    throw error;
  call.onProgress?.({
    step: "preflight",
    state: "skipped",
    message: `${String(error.facts.module)} is not on this machine: the function is tried in ${baseImage}, by its replicas`,
  });
  return undefined;
}

/** The same bundle on another base, or with other settings, is other content. */
function contentDigestOf({ digest, settings, replicas: { baseImage } }: CapturedModel): string {
  const rest = [
    ...(baseImage === undefined ? [] : [baseImage]),
    ...(settings === undefined ? [] : [canonicalJson(settings)]),
  ];
  if (rest.length === 0) return digest;
  return `sha256:${createHash("sha256")
    .update([digest, ...rest].join("\n"))
    .digest("hex")}`;
}

/** Those that were given, and nothing else that the options may hold. */
function replicaOptionsOf({
  replicas,
  labels,
  batchSize,
  keepWarm,
  readyTimeoutMs,
  overlay,
  force,
}: ReplicaOptions): Partial<DeployModelRequest> {
  const all = { replicas, labels, batchSize, keepWarm, readyTimeoutMs, overlay, force };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** What the user says wins, field by field. */
function resourcesOf({ resources, replicas }: CapturedModel): Pick<DeployModelRequest, "resources"> {
  const theirs = replicas.resources;
  const scratch = { ...resources?.scratch, ...theirs?.scratch };
  const all = { ...resources, ...theirs, ...(Object.keys(scratch).length === 0 ? {} : { scratch }) };
  return Object.keys(all).length === 0 ? {} : { resources: all };
}
