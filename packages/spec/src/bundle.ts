import type { CallOptions } from "./call-options.js";
import type { InputType } from "./input-type.js";
import type { ModelVersion } from "./query.js";

/**
 * A *model bundle* is a directory that holds all a replica needs to serve one model version, apart from the interpreter:
 *
 *     manifest.json      this record
 *     function.pkl       the function, by cloudpickle, when the entry is a pickle
 *     modules/           local modules that travel, put on sys.path
 *     environment/       lock.txt: exact pins, installed with --no-deps; report.json: which rule found each
 *     model/             what a framework saved itself (PySpark), never inside the pickle
 *
 * It is known by its digest: sha256 over manifest.json, which names the sha256 of every other file.
 */
export interface BundleManifest extends ModelVersion {
  readonly formatVersion: 1;
  readonly inputType: InputType;
  /** How a replica gets the callable. */
  readonly entry:
    | { readonly kind: "pickle"; readonly file: "function.pkl" }
    /** imported by name; the module travels in `modules/` or is installed by the lock */
    | { readonly kind: "reference"; readonly module: string; readonly function: string };
  /** What serves it: plain closures `f(inputs)`, or PySpark functions `f(spark, model, inputs)`. */
  readonly runtime: "python" | "pyspark";
  /** `3.11`; a pickle loads in this minor only. */
  readonly pythonMinor: string;
  /** The exact version that wrote the pickle; also in the lock. */
  readonly cloudpickleVersion: string;
  /** With `runtime: "pyspark"`, and only then: with `pythonMinor`, the triple that is locked, and how its model is loaded. */
  readonly pyspark?: PysparkManifest;
  /** sha256 of `environment/lock.txt`, hex: the key under which its environment is kept. */
  readonly environmentDigest: string;
  /** One input as JSON, run before a version goes live and at each start of a replica; absent when none was given. */
  readonly sample?: unknown;
  /** Relative path, `/` between parts, to sha256 in hex, sorted by path; all files but manifest.json. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Names the environment that a bundle's lock is installed as: bundles with the same lock share one.
 * @returns a directory's name: `py3.11-0123456789abcdef01234567`
 */
export function environmentName({
  pythonMinor,
  environmentDigest,
}: Pick<BundleManifest, "pythonMinor" | "environmentDigest">): string {
  return `py${pythonMinor}-${environmentDigest.slice(0, 24)}`;
}

/** What a PySpark model needs of the place it is loaded in. Another version of any of them is refused, never tried. */
export interface PysparkManifest {
  /** `4.1.1`; also in the lock. */
  readonly version: string;
  /** `17`. */
  readonly javaMajor: number;
  /** The class whose `load` reads `model/`: `pyspark.ml.PipelineModel`. Always one of PySpark's own. */
  readonly modelClass: string;
}

/** What a store knows of a bundle it holds. */
export interface BundleInfo {
  readonly digest: string;
  readonly manifest: BundleManifest;
  readonly bytes: number;
}

/**
 * Keeps model bundles by digest. `put` of a bundle it has is a no-op. A bundle is wholly there or not at all: a `put` that
 * ends early leaves nothing that `get` would return.
 */
export interface BundleStore {
  /** @param directory of the bundle; read, never changed. @throws BundleError when its files are not those of its manifest */
  put(directory: string, options?: CallOptions): Promise<BundleInfo>;
  /** @returns undefined when it is not there */
  get(
    digest: string,
    options?: CallOptions,
  ): Promise<(BundleInfo & { readonly directory: string }) | undefined>;
  list(options?: CallOptions): Promise<readonly BundleInfo[]>;
  /** Absent is success. One that somebody holds stays. */
  remove(digest: string, options?: CallOptions): Promise<void>;
  /** Keeps a bundle, whether it is there yet or not, from `remove` and `prune` until disposed of, or until this process ends. Whoever deploys holds it before it is put. */
  hold(digest: string): Promise<AsyncDisposable>;
  /**
   * Removes every bundle that is neither named nor held, and what cut-off puts and removals left.
   * @param named asked after it was looked who holds what, so that a bundle which a version has just taken over is one or the other; and again for each that is to go
   * @returns the digests of what was removed
   */
  prune(named: () => Promise<ReadonlySet<string>>, options?: CallOptions): Promise<readonly string[]>;
}
