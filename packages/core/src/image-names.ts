import { javaMissing, type PysparkTriple } from "@clipper-serving/image-builder";

/** By Python minor: `{ "3.11": "registry.example/python:3.11" }`. */
export type ImageByPython = Readonly<Record<string, string>>;

/** Images that a cluster's own are built on, where programs are images. Each can be another one. */
export interface ImageNames {
  /** Any image with glibc. Default `debian:12-slim`. */
  readonly frontend?: string;
  /** For each minor: an image with that Python. Default `python:MINOR-slim`. */
  readonly python?: ImageByPython;
  /** For PySpark models: with Python and Java. Default: that of `python` where one is named, which is then asked for its Java; there is no public image with both. */
  readonly pyspark?: ImageByPython;
  /** Of the Redis that a cluster runs itself, 7 or later, with a shell. Used as it is. Default `redis:7-alpine`. */
  readonly redis?: string;
}

/** @returns the names of `given`, and where it has none those of `known` */
export function mergeImageNames(known: ImageNames, given: ImageNames): ImageNames {
  return {
    ...known,
    ...given,
    python: { ...known.python, ...given.python },
    pyspark: { ...known.pyspark, ...given.pyspark },
  };
}

const DEFAULT_FRONTEND_BASE = "debian:12-slim";
const DEFAULT_REDIS = "redis:7-alpine";

export function redisImage({ redis = DEFAULT_REDIS }: ImageNames): string {
  return redis;
}

export function frontendBase({ frontend = DEFAULT_FRONTEND_BASE }: ImageNames): string {
  return frontend;
}

export function pythonBase({ python = {} }: ImageNames, minor: string): string {
  return named(python, minor) ?? `python:${minor}-slim`;
}

/** @throws ImageError `JAVA_MISSING` where nobody has named one that may have Java */
export function pysparkBase({ pyspark = {}, python = {} }: ImageNames, locked: PysparkTriple): string {
  const base = named(pyspark, locked.pythonMinor) ?? named(python, locked.pythonMinor);
  if (base === undefined) throw javaMissing(locked, "no image that has both is named");
  return base;
}

function named(images: ImageByPython, minor: string): string | undefined {
  return Object.hasOwn(images, minor) ? images[minor] : undefined;
}
