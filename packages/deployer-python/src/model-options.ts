import path from "node:path";
import {
  checkDeployOptions,
  checkName,
  type InputType,
  InvalidArgumentError,
  parseInputType,
  type WorkloadResources,
} from "@clipper-serving/spec";

/** How a version is run, whatever it is made of. */
export interface ReplicaOptions {
  /**
   * Image to build on, where programs are images: your own, with whatever it holds besides Python of the minor that captures. Default: the cluster's for
   * that minor. Left unread on plain processes.
   */
  readonly baseImage?: string;
  /** Default 1. */
  readonly replicas?: number;
  readonly labels?: readonly string[];
  /** Largest batch; default −1: found by the frontend within the latency objective. */
  readonly batchSize?: number;
  /** How many versions before this one keep their replicas. Default 1. */
  readonly keepWarm?: number;
  /** Default 120,000 ms. */
  readonly readyTimeoutMs?: number;
  /** Of each replica. Default: no limits, and the platform's own scratch space. */
  readonly resources?: WorkloadResources;
  /** Typed extras of the container manager's package. */
  readonly overlay?: unknown;
  /** Become current although an application's objective is below the measured floor. Default false. */
  readonly force?: boolean;
}

/** What is said of a model that is captured now. */
export interface ModelOptions extends ReplicaOptions {
  /** Name of the model. */
  readonly name: string;
  /** Default `"1"`. A number is read as its text. */
  readonly version?: string | number;
  /** `integers`, `floats`, `doubles`, `strings` or `bytes`, or one of Clipper's shorter spellings. */
  readonly inputType: InputType | (string & {});
  /** One input as JSON. With it the function is tried in its own environment before anything changes, and its latency measured. */
  readonly sample?: unknown;
  /** Interpreter to capture the function in. Default: `$VIRTUAL_ENV`, then `.venv` beside the file, then `python3`. */
  readonly python?: string;
}

export interface ResolvedModelOptions {
  readonly model: string;
  readonly version: string;
  readonly inputType: InputType;
}

/** Checks what all models have. @throws InvalidNameError, InvalidArgumentError */
export function resolveModelOptions(options: ModelOptions): ResolvedModelOptions {
  const { name, version = "1", inputType } = options;
  const resolvedType = parseInputType(inputType);
  if (resolvedType === undefined) {
    throw new InvalidArgumentError({
      argument: "inputType",
      value: inputType,
      expected: "integers, floats, doubles, strings or bytes",
    });
  }
  checkDeployOptions(options);
  const versionText = typeof version === "number" && Number.isInteger(version) ? String(version) : version;
  return {
    model: checkName("model", name),
    version: checkName("version", versionText),
    inputType: resolvedType,
  };
}

/**
 * Checks a reference to a function, as far as that can be done without looking.
 * @returns the file of `file.py:function`, absolute; undefined for `package.module:function`
 * @throws InvalidArgumentError
 */
export function functionFileOf(argument: string, reference: unknown): string | undefined {
  const match = typeof reference === "string" ? /^(.+):([A-Za-z_]\w*)$/.exec(reference) : null;
  const where = match?.[1];
  if (where === undefined) {
    throw new InvalidArgumentError({
      argument,
      value: reference,
      expected: "file.py:function or package.module:function",
    });
  }
  if (where.endsWith(".py")) return path.resolve(where);
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(where)) return undefined;
  throw new InvalidArgumentError({
    argument,
    value: reference,
    expected: "file.py:function or package.module:function",
    hint: "a file's name ends in .py",
  });
}
