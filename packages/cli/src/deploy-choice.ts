import {
  type CallOptions,
  type ClipperConnection,
  type DeployResult,
  InvalidArgumentError,
} from "@clipper-serving/core";
import {
  createEndpoint as createPysparkEndpoint,
  deployBundle,
  deployPysparkModel,
  type SparkOptions,
} from "@clipper-serving/deployer-pyspark";
import {
  type ApplicationOptions,
  createEndpoint,
  deployPythonClosure,
  type ReplicaOptions,
} from "@clipper-serving/deployer-python";

/** What is deployed and how, as the command line gives it. */
export interface DeploySource extends ReplicaOptions, ApplicationOptions {
  /** `file.py:function`. */
  readonly reference?: string | undefined;
  readonly bundle?: string;
  readonly pyspark?: boolean;
  readonly modelPath?: string;
  readonly modelClass?: string;
  readonly sparkThreads?: number;
  readonly sparkConf?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly version?: string;
  readonly inputType?: string;
  readonly python?: string;
  readonly sample?: unknown;
}

type Deploy = (connection: ClipperConnection, call: CallOptions) => Promise<DeployResult>;

/** @returns the deployer for it, called with all it takes. @throws InvalidArgumentError for what does not go together */
export function chooseDeploy(source: DeploySource): Deploy {
  const {
    reference,
    bundle,
    pyspark = false,
    modelPath,
    modelClass,
    sparkThreads,
    sparkConf,
    ...rest
  } = source;
  const spark = sparkOptions(sparkThreads, sparkConf);
  if (bundle !== undefined) {
    for (const [argument, value] of Object.entries({ reference, ...only(source, NOT_OF_A_BUNDLE) })) {
      if (value !== undefined) throw contradiction(argument, value, "left out with --bundle, which has it");
    }
    return (connection, call) => deployBundle(connection, { ...rest, bundle, spark }, call);
  }
  const { name, inputType } = rest;
  if (reference === undefined) throw contradiction("file.py:function", reference, "given, or --bundle");
  if (name === undefined) throw contradiction("--name", name, "the name of the model");
  if (inputType === undefined) throw contradiction("--input-type", inputType, "the type of its inputs");
  const model = { ...rest, name, inputType };
  if (!pyspark) {
    for (const [argument, value] of Object.entries(only(source, OF_PYSPARK))) {
      if (value !== undefined) throw contradiction(argument, value, "given with --pyspark");
    }
    const deploy = rest.app === undefined ? deployPythonClosure : createEndpoint;
    return (connection, call) => deploy(connection, { ...model, function: reference }, call);
  }
  const deploy = rest.app === undefined ? deployPysparkModel : createPysparkEndpoint;
  const captured =
    modelPath === undefined
      ? { ...model, spark, build: reference }
      : {
          ...model,
          spark,
          modelPath,
          function: reference,
          ...(modelClass === undefined ? {} : { modelClass }),
        };
  return (connection, call) => deploy(connection, captured, call);
}

const NOT_OF_A_BUNDLE = [
  "name",
  "version",
  "inputType",
  "sample",
  "pyspark",
  "modelPath",
  "modelClass",
] as const;
const OF_PYSPARK = ["modelPath", "modelClass", "sparkThreads", "sparkConf"] as const;

function only(source: DeploySource, names: readonly (keyof DeploySource)[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, source[name]]));
}

function sparkOptions(threads: number | undefined, conf: SparkOptions["conf"]): SparkOptions {
  return { ...(threads === undefined ? {} : { threads }), ...(conf === undefined ? {} : { conf }) };
}

function contradiction(argument: string, value: unknown, expected: string): InvalidArgumentError {
  return new InvalidArgumentError({ argument, value, expected });
}
