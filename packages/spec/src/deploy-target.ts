import type { BundleInfo, BundleStore, PysparkManifest } from "./bundle.js";
import type { CallOptions } from "./call-options.js";
import type { ContainerManagerCapabilities, PlatformFacts } from "./container-manager.js";
import type { ImageSink } from "./image.js";
import type { InputType } from "./input-type.js";
import type { ModelVersion } from "./query.js";
import type { BatchFloor, WorkloadTemplate } from "./records.js";

/**
 * What a deployer needs of a cluster. `ClipperConnection` implements it; deployers take this and never a connection.
 * All methods need a connection: `UnconnectedError` otherwise.
 */
export interface DeployTarget {
  readonly cluster: string;
  readonly capabilities: ContainerManagerCapabilities;
  facts(options?: CallOptions): Promise<PlatformFacts>;
  /** Absent where programs are directories. */
  readonly images?: ImageSink | undefined;
  readonly bundles: BundleStore;
  /** A directory on this machine where deployers keep what they make, such as environments. Exists. */
  readonly workDirectory: string;
  /** Makes a directory for what one deploy needs on its way. */
  scratch(): Promise<ScratchDirectory>;
  /**
   * What Python replicas run on here. Looks, and makes nothing, so that a function that cannot run here is refused before it is captured.
   * @throws ClipperError `PYTHON_MISMATCH`, `PLATFORM_MISMATCH`, `LIBC_MISMATCH`, `JAVA_MISSING`, `JAVA_MISMATCH`, `IMAGE_NOT_FOUND`
   */
  pythonPlatform(request: PythonPlatformRequest, options?: CallOptions): Promise<PythonPlatform>;
  /** The version as it is registered, or undefined. */
  getVersion(target: ModelVersion, options?: CallOptions): Promise<RegisteredVersion | undefined>;
  deployModel(request: DeployModelRequest, options?: CallOptions): Promise<DeployResult>;
  /** The application as it is registered, or undefined. */
  getApplication(name: string, options?: CallOptions): Promise<RegisteredApplication | undefined>;
  registerApplication(request: RegisterApplicationRequest, options?: CallOptions): Promise<void>;
  linkModelToApp(request: LinkRequest, options?: CallOptions): Promise<void>;
}

/** Gone when it is disposed of; should its process end before, when the next one is made. */
export interface ScratchDirectory extends AsyncDisposable {
  /** Readable by this user only. */
  readonly directory: string;
}

export interface PythonPlatformRequest {
  /** Of the interpreter that captures: `3.11`. */
  readonly pythonMinor: string;
  /** Image to build on, where programs are images; default: the cluster's own for the minor. */
  readonly baseImage?: string;
  /** For a PySpark model: what it is locked to besides Python. The image must have that Java, and tells its replicas where. */
  readonly pyspark?: Pick<PysparkManifest, "version" | "javaMajor">;
}

/** Makes programs of what a deployer made on this machine. */
export interface PythonPlatform {
  /**
   * What the program's environment has to be made for, where it is another than this machine: `linux/arm64`. The function is tried in one for this machine
   * all the same.
   */
  readonly environmentPlatform?: string;
  /** @returns what runs a replica of the bundle: the directories as they are, or an image that holds them */
  program(request: PythonProgramRequest, options?: CallOptions): Promise<PythonProgram>;
}

export interface PythonProgramRequest {
  readonly bundle: BundleInfo & { readonly directory: string };
  /** Directory of a relocatable virtual environment made from the bundle's lock. */
  readonly environment: string;
  /** Directory that holds the package `clipper_runtime`. */
  readonly pythonPath: string;
}

export type PythonProgram = Pick<DeployModelRequest, "program" | "command" | "env">;

export interface RegisteredVersion extends ModelVersion {
  readonly inputType: InputType;
  readonly contentDigest: string;
  readonly isCurrent: boolean;
  /** What its replicas run, where programs are images. */
  readonly image?: string;
}

export interface RegisteredApplication {
  readonly name: string;
  readonly inputType: InputType;
  readonly defaultOutput: string;
  readonly sloMs: number;
  /** Names of the models it routes to. */
  readonly linkedModels: readonly string[];
}

export interface RegisterApplicationRequest {
  readonly name: string;
  readonly inputType: InputType;
  /** Default `"None"`. */
  readonly defaultOutput?: string;
  /** Latency objective, ms; may be fractional, 0.001 … 2,147,483.647. Default 3,000. */
  readonly sloMs?: number;
  /** Model it is linked to from the start: where that is refused, so is the application. Default: none. */
  readonly model?: string;
  /** As of `LinkRequest`. */
  readonly force?: boolean;
}

export interface LinkRequest {
  readonly app: string;
  readonly model: string;
  /** Link although the model's measured floor is above the application's objective. Default false. */
  readonly force?: boolean;
}

export interface DeployModelRequest extends ModelVersion {
  readonly inputType: InputType;
  /** What makes two deploys of one name and version the same; a bundle's digest where there is one. */
  readonly contentDigest: string;
  readonly bundleDigest?: string;
  readonly program: WorkloadTemplate["program"];
  /** Empty with an image: the image's own. Runs a replica: RPC 4, told by `CLIPPER_FRONTENDS`, `CLIPPER_INSTANCE` and `CLIPPER_SECRETS`. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly resources?: WorkloadTemplate["resources"];
  readonly overlay?: unknown;
  /** Default 1; 0 … 1,000. */
  readonly replicas?: number;
  readonly labels?: readonly string[];
  /** Largest batch; default −1: found by the frontend. */
  readonly batchSize?: number;
  readonly floor?: readonly BatchFloor[];
  /** How many versions before this one keep their replicas. Default 1. */
  readonly keepWarm?: number;
  /** From the start of the replicas to all of them connected, ms. Default 120,000. */
  readonly readyTimeoutMs?: number;
  /** Become current although an application's objective is below the measured floor. Default false. */
  readonly force?: boolean;
}

export interface DeployResult extends ModelVersion {
  /** The same content was deployed before and is current: nothing was done. */
  readonly unchanged: boolean;
  readonly replicas: number;
  readonly previousVersion?: string;
}
