import path from "node:path";
import type { ModelOptions } from "@clipper-serving/deployer-python";
import {
  functionFileOf,
  type ResolvedModelOptions,
  resolveModelOptions,
} from "@clipper-serving/deployer-python/pipeline";
import { InvalidArgumentError } from "@clipper-serving/spec";

/** The session in which a replica serves the model. */
export interface SparkOptions {
  /** The n of its master `local[n]`; 0 is all cores. Default 1: batches are small, and more replicas serve more of them. */
  readonly threads?: number;
  /** Spark's settings by name, over those made here: `{ "spark.driver.memory": "2g" }`. Of a session that trains, too. */
  readonly conf?: Readonly<Record<string, string>>;
}

interface CommonOptions extends ModelOptions {
  readonly spark?: SparkOptions;
}

/** A model that Spark saved, and the function that asks it. */
export interface SavedModelOptions extends CommonOptions {
  /** Directory on this machine that `model.save(…)` wrote: a `spark.ml` model or pipeline, or an RDD-based `spark.mllib` model. */
  readonly modelPath: string;
  /** `file.py:function` or `package.module:function`. It takes `(spark, model, inputs)`, a batch at once, and returns a list of as many strings. */
  readonly function: string;
  /** The class whose `load` reads the model. Default: what the saved model says of itself. */
  readonly modelClass?: string;
}

/** A script that trains. */
export interface TrainingScriptOptions extends CommonOptions {
  /** `file.py:build`: `build(spark)` is given a session of the deployer's and returns `(function, model)`; the model is then saved by Spark's writer. */
  readonly build: string;
}

export type PysparkModelOptions = SavedModelOptions | TrainingScriptOptions;

export interface ResolvedPysparkOptions extends ResolvedModelOptions {
  /** What is run by the interpreter: for messages. */
  readonly reference: string;
  /** Its file, absolute; undefined for `package.module:function`. */
  readonly functionFile: string | undefined;
  /** Arguments of the capture that say what is captured. */
  readonly source: readonly string[];
  readonly spark: SparkOptions;
}

/** Checks everything that can be checked before anything is done. @throws InvalidNameError, InvalidArgumentError */
export function resolvePysparkOptions(options: PysparkModelOptions): ResolvedPysparkOptions {
  const model = resolveModelOptions(options);
  const spark = checkSparkOptions(options.spark);
  const given = options as Partial<SavedModelOptions & TrainingScriptOptions>;
  if (given.build !== undefined) {
    for (const name of ["modelPath", "function", "modelClass"] as const) {
      if (given[name] === undefined) continue;
      throw new InvalidArgumentError({
        argument: name,
        value: given[name],
        expected: "absent with `build`, which returns the function and the model",
      });
    }
    const functionFile = functionFileOf("build", given.build);
    return { ...model, spark, reference: given.build, functionFile, source: ["--build", given.build] };
  }
  if (typeof given.modelPath !== "string" || given.modelPath === "") {
    throw new InvalidArgumentError({
      argument: "modelPath",
      value: given.modelPath,
      expected: "the directory of a model that Spark saved",
      hint: "or name a training script with `build`",
    });
  }
  const functionFile = functionFileOf("function", given.function);
  const reference = given.function as string;
  const modelClass = given.modelClass === undefined ? [] : ["--model-class", given.modelClass];
  const source = ["--model-path", path.resolve(given.modelPath), "--function", reference, ...modelClass];
  return { ...model, spark, reference, functionFile, source };
}

export function checkSparkOptions({ threads, conf = {} }: SparkOptions = {}): SparkOptions {
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 0 || threads > 1_024)) {
    throw new InvalidArgumentError({
      argument: "spark.threads",
      value: threads,
      expected: "a whole number from 0 to 1024",
    });
  }
  for (const [name, value] of Object.entries(conf)) {
    if (name.startsWith("spark.") && typeof value === "string") continue;
    throw new InvalidArgumentError({
      argument: "spark.conf",
      value: { [name]: value },
      expected: "text by names that start with spark.",
    });
  }
  return {
    ...(threads === undefined ? {} : { threads }),
    ...(Object.keys(conf).length === 0 ? {} : { conf }),
  };
}
