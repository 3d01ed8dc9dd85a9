import {
  functionFileOf,
  type ModelOptions,
  type ResolvedModelOptions,
  resolveModelOptions,
} from "./model-options.js";

export interface PythonClosureOptions extends ModelOptions {
  /**
   * What answers: `path/to/file.py:function` or `package.module:function`. It takes a list of inputs and returns a list of as many strings. The file is
   * executed once, here, and the function pickled with all it refers to, so that replicas do not train again.
   */
  readonly function: string;
}

export interface ResolvedClosureOptions
  extends Omit<PythonClosureOptions, "name" | "version" | "inputType">,
    ResolvedModelOptions {
  /** Of `file.py:function`, absolute; undefined for `package.module:function`. */
  readonly functionFile: string | undefined;
}

/** Checks everything that can be checked before anything is done. @throws InvalidNameError, InvalidArgumentError */
export function resolveClosureOptions(options: PythonClosureOptions): ResolvedClosureOptions {
  const { name: _name, ...rest } = options;
  return {
    ...rest,
    ...resolveModelOptions(options),
    functionFile: functionFileOf("function", options.function),
  };
}
